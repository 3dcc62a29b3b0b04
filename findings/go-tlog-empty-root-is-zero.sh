#!/usr/bin/env bash
# One would guess: Go's sumdb/tlog and RFC 6962, whose tree it builds, agree on every root, the first one included.
# What happens: the root of an empty log is 32 zero bytes in golang.org/x/mod 0.7.0, and the SHA-256 of nothing in RFC 6962.
#   From the first record on they agree.
# Who meets it: a new log before its first visit, whose signed checkpoint another program checks: it refuses the
#   log, though both have the same rows. Tests with records in them never show it.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get -qq download golang-1.19-go=1.19.8-2 golang-1.19-src=1.19.8-2 golang-golang-x-mod-dev=0.7.0-1 2>apt.log || {
    cat apt.log >&2
    echo "Debian 12's packages cannot be had; perhaps: sudo apt-get update" >&2
    exit 1
}
for package in *.deb; do
    dpkg-deb -x "$package" debian
    rm "$package"
done

mkdir seen
cat >seen/main.go <<'GO'
package main

import (
	"crypto/sha256"
	"fmt"
	"os"

	"golang.org/x/mod/sumdb/tlog"
)

type stored []tlog.Hash

func (s stored) ReadHashes(places []int64) ([]tlog.Hash, error) {
	var hashes []tlog.Hash
	for _, place := range places {
		hashes = append(hashes, s[place])
	}
	return hashes, nil
}

// root is RFC 6962's Merkle tree hash (section 2.1).
func root(records []string) [32]byte {
	switch len(records) {
	case 0:
		return sha256.Sum256(nil)
	case 1:
		return sha256.Sum256([]byte("\x00" + records[0]))
	}
	half := 1
	for half*2 < len(records) {
		half *= 2
	}
	left, right := root(records[:half]), root(records[half:])
	return sha256.Sum256(append(append([]byte{1}, left[:]...), right[:]...))
}

func main() {
	fmt.Println("golang.org/x/mod 0.7.0 (Debian 0.7.0-1)")
	var hashes stored
	records := []string{"first visit", "second visit", "third visit"}
	for count := 0; ; count++ {
		given, err := tlog.TreeHash(int64(count), hashes)
		if err != nil {
			panic(err)
		}
		specified := tlog.Hash(root(records[:count]))
		fmt.Printf("\nRecords: %d\n  TreeHash %v\n  RFC 6962 %v\n", count, given, specified)
		if (given == specified) != (count > 0) || (given == tlog.Hash{}) != (count == 0) {
			os.Exit(1)
		}
		if count == len(records) {
			return
		}
		more, err := tlog.StoredHashes(int64(count), []byte(records[count]), hashes)
		if err != nil {
			panic(err)
		}
		hashes = append(hashes, more...)
	}
}
GO
GOROOT=$work/debian/usr/lib/go-1.19 GOPATH=$work/debian/usr/share/gocode GO111MODULE=off GOFLAGS='' \
    GOCACHE=$work/cache GOTMPDIR=$work \
    debian/usr/lib/go-1.19/bin/go run seen/main.go || { echo 'This is no longer what happens.' >&2; exit 1; }
