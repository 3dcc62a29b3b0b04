"""A deployment with two beats, and codes for inspectors' devices."""

from serving import Server, aralau


class World(Server):
    def prepare(self):
        aralau("admin", "--data", self.data, "sample")
