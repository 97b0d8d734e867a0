// Verifies logs with three implementations that know nothing of Strongroom: Go's own packages for transparency logs
// (golang.org/x/mod/sumdb), those of transparency-dev, and torchwood. It answers one line of JSON with one line of JSON.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"filippo.io/torchwood"
	formatslog "github.com/transparency-dev/formats/log"
	formatsnote "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// A claim is what is to be verified, as Strongroom gives it out.
type claim struct {
	By   string `json:"by"`
	Kind string `json:"kind"`
	// Verifier keys, all of which must have signed.
	Keys []string `json:"keys"`
	// A c2sp.org/tlog-proof, or the body of a c2sp.org/tlog-witness request; of a checkpoint, the checkpoint.
	Proof []byte `json:"proof"`
	// The entry that is in the log, or the older checkpoint.
	Of []byte `json:"of"`
}

// A head is what a checkpoint says, once its signatures are verified.
type head struct {
	size uint64
	root []byte
}

// A library opens checkpoints and verifies proofs.
type library struct {
	open        func(checkpoint []byte, keys []string) (head, error)
	inclusion   func(now head, index uint64, hashes [][]byte, entry []byte) error
	consistency func(now, old head, hashes [][]byte) error
}

var libraries = map[string]library{
	"x-mod":            {openWithGo, includedByGo, consistentByGo},
	"transparency-dev": {openWithFormats, includedByMerkle, consistentByMerkle},
	"torchwood":        {openWithTorchwood, includedByGo, consistentByGo},
}

func main() {
	input := bufio.NewReader(os.Stdin)
	output := json.NewEncoder(os.Stdout)
	for {
		line, err := input.ReadBytes('\n')
		if err != nil {
			return
		}
		answer := map[string]string{}
		if err := verify(line); err != nil {
			answer["error"] = err.Error()
		}
		if err := output.Encode(answer); err != nil {
			return
		}
	}
}

func verify(line []byte) error {
	var c claim
	if err := json.Unmarshal(line, &c); err != nil {
		return err
	}
	by, known := libraries[c.By]
	if !known || len(c.Keys) == 0 {
		return errors.New("which library, and by which keys")
	}
	if c.By == "torchwood" && c.Kind == "inclusion" {
		policy, err := torchwoodPolicy(c.Keys)
		if err != nil {
			return err
		}
		return torchwood.VerifyProof(policy, tlog.RecordHash(c.Of), c.Proof)
	}
	if c.Kind == "checkpoint" {
		_, err := by.open(c.Proof, c.Keys)
		return err
	}
	lines, checkpoint, found := strings.Cut(string(c.Proof), "\n\n")
	if !found {
		return errors.New("the proof has no checkpoint")
	}
	now, err := by.open([]byte(checkpoint), c.Keys)
	if err != nil {
		return err
	}
	switch c.Kind {
	case "inclusion":
		index, hashes, err := parse(lines, "c2sp.org/tlog-proof@v1\nindex ")
		if err != nil {
			return err
		}
		return by.inclusion(now, index, hashes, c.Of)
	case "consistency":
		old, err := by.open(c.Of, c.Keys)
		if err != nil {
			return err
		}
		size, hashes, err := parse(lines, "old ")
		if err != nil {
			return err
		}
		if size != old.size {
			return errors.New("the proof is for another size")
		}
		return by.consistency(now, old, hashes)
	}
	return errors.New("which claim")
}

// parse reads a number after its words, and a hash in each line that follows.
func parse(text, words string) (uint64, [][]byte, error) {
	rest, found := strings.CutPrefix(text, words)
	if !found {
		return 0, nil, errors.New("the proof begins otherwise")
	}
	lines := strings.Split(rest, "\n")
	number, err := strconv.ParseUint(lines[0], 10, 63)
	if err != nil {
		return 0, nil, err
	}
	var hashes [][]byte
	for _, line := range lines[1:] {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return 0, nil, err
		}
		hashes = append(hashes, hash[:])
	}
	return number, hashes, nil
}

// golang.org/x/mod/sumdb: Ed25519 signatures of notes.

func openWithGo(checkpoint []byte, keys []string) (head, error) {
	var verifiers []note.Verifier
	for _, key := range keys {
		verifier, err := note.NewVerifier(key)
		if err != nil {
			return head{}, err
		}
		verifiers = append(verifiers, verifier)
	}
	opened, err := note.Open(checkpoint, note.VerifierList(verifiers...))
	if err != nil {
		return head{}, err
	}
	if len(opened.Sigs) != len(keys) {
		return head{}, errors.New("not all keys have signed")
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifiers[0].Name() {
		return head{}, errors.New("this is no checkpoint of this log")
	}
	size, err := strconv.ParseUint(lines[1], 10, 63)
	if err != nil {
		return head{}, err
	}
	root, err := tlog.ParseHash(lines[2])
	return head{size, root[:]}, err
}

func includedByGo(now head, index uint64, hashes [][]byte, entry []byte) error {
	return tlog.CheckRecord(goHashes(hashes), int64(now.size), tlog.Hash(now.root), int64(index), tlog.RecordHash(entry))
}

func consistentByGo(now, old head, hashes [][]byte) error {
	return tlog.CheckTree(goHashes(hashes), int64(now.size), tlog.Hash(now.root), int64(old.size), tlog.Hash(old.root))
}

func goHashes(hashes [][]byte) []tlog.Hash {
	var given []tlog.Hash
	for _, hash := range hashes {
		given = append(given, tlog.Hash(hash))
	}
	return given
}

// transparency-dev: notes of every kind, ML-DSA-44 among them, and proofs of RFC 6962.

func openWithFormats(checkpoint []byte, keys []string) (head, error) {
	var verifiers []note.Verifier
	for _, key := range keys {
		verifier, err := formatsnote.NewVerifier(key)
		if err != nil {
			return head{}, err
		}
		verifiers = append(verifiers, verifier)
	}
	parsed, _, opened, err := formatslog.ParseCheckpoint(checkpoint, verifiers[0].Name(), verifiers[0], verifiers[1:]...)
	if err != nil {
		return head{}, err
	}
	if len(opened.Sigs) != len(keys) {
		return head{}, errors.New("not all keys have signed")
	}
	return head{parsed.Size, parsed.Hash}, nil
}

func includedByMerkle(now head, index uint64, hashes [][]byte, entry []byte) error {
	leaf := rfc6962.DefaultHasher.HashLeaf(entry)
	return proof.VerifyInclusion(rfc6962.DefaultHasher, index, now.size, leaf, hashes, now.root)
}

func consistentByMerkle(now, old head, hashes [][]byte) error {
	return proof.VerifyConsistency(rfc6962.DefaultHasher, old.size, now.size, hashes, old.root, now.root)
}

// torchwood: whole proofs of c2sp.org/tlog-proof under a policy; it has no proofs of consistency of its own.

func torchwoodPolicy(keys []string) (torchwood.Policy, error) {
	var origin string
	var policies []torchwood.Policy
	for _, key := range keys {
		verifier, err := note.NewVerifier(key)
		if err != nil {
			return nil, err
		}
		if origin == "" {
			origin = verifier.Name()
		}
		policies = append(policies, torchwood.SingleVerifierPolicy(verifier))
	}
	policies = append(policies, torchwood.OriginPolicy(origin))
	return torchwood.ThresholdPolicy(len(policies), policies...), nil
}

func openWithTorchwood(checkpoint []byte, keys []string) (head, error) {
	policy, err := torchwoodPolicy(keys)
	if err != nil {
		return head{}, err
	}
	opened, _, err := torchwood.VerifyCheckpoint(checkpoint, policy)
	if err != nil {
		return head{}, fmt.Errorf("torchwood: %w", err)
	}
	return head{uint64(opened.N), opened.Hash[:]}, nil
}
