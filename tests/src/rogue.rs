//! A device that signs whatever it likes.
