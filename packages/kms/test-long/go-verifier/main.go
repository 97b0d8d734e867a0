// Verifies the audit of a KMS with Go's own packages for transparency logs, which know nothing of Strongroom.
//
//	go run . VKEY inclusion ENTRY-FILE < entry.tlog-proof
//	go run . VKEY consistency OLD-CHECKPOINT < growth
//
// The inputs are what `strongroom-kms audit key`, `audit prove` and `audit checkpoint` print.
package main

import (
	"fmt"
	"io"
	"log"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// A head is what a checkpoint says, once its signature is verified.
type head struct {
	size int64
	root tlog.Hash
}

func main() {
	log.SetFlags(0)
	if len(os.Args) != 4 {
		log.Fatal("usage: verifier VKEY inclusion|consistency FILE")
	}
	verifier, err := note.NewVerifier(os.Args[1])
	check(err)
	file, err := os.ReadFile(os.Args[3])
	check(err)
	input, err := io.ReadAll(os.Stdin)
	check(err)
	lines, checkpoint, found := strings.Cut(string(input), "\n\n")
	if !found {
		log.Fatal("the proof has no checkpoint")
	}
	newest := open([]byte(checkpoint), verifier)
	switch os.Args[2] {
	case "inclusion":
		index, hashes := parse(strings.TrimPrefix(lines, "c2sp.org/tlog-proof@v1\n"), "index ")
		check(tlog.CheckRecord(hashes, newest.size, newest.root, index, tlog.RecordHash(file)))
		fmt.Printf("entry %d is in the log of %d\n", index+1, newest.size)
	case "consistency":
		old := open(file, verifier)
		size, hashes := parse(lines, "old ")
		if size != old.size {
			log.Fatal("the proof is for another size")
		}
		check(tlog.CheckTree(hashes, newest.size, newest.root, old.size, old.root))
		fmt.Printf("the log of %d begins with that of %d\n", newest.size, old.size)
	default:
		log.Fatal("inclusion or consistency")
	}
}

func open(signed []byte, verifier note.Verifier) head {
	opened, err := note.Open(signed, note.VerifierList(verifier))
	check(err)
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		log.Fatal("this is no checkpoint of this log")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	check(err)
	root, err := tlog.ParseHash(lines[2])
	check(err)
	return head{size, root}
}

// parse reads a number after its word, and a hash in each line that follows.
func parse(text, word string) (int64, []tlog.Hash) {
	lines := strings.Split(text, "\n")
	number, err := strconv.ParseInt(strings.TrimPrefix(lines[0], word), 10, 64)
	check(err)
	var hashes []tlog.Hash
	for _, line := range lines[1:] {
		hash, err := tlog.ParseHash(line)
		check(err)
		hashes = append(hashes, hash)
	}
	return number, hashes
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
