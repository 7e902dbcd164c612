package bus

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// This file is the form of a backup: a gzipped tar that any tool can look into.
//
//	about.json            the form's number
//	EVENTS/000001.jsonl   messages in their order, one a line, about 1 MiB an entry
//	KV_calls/000002.jsonl the same of each store
//	end.json              the counts, the readers, and the SHA-256 of all that came before
//
// Without end.json a backup is not whole: a connection that broke can't pass for one.

const (
	archiveForm  = 1
	archivePart  = 1 << 20
	archiveAbout = "about.json"
	archiveEnd   = "end.json"
)

// stored is one message of a stream. ID is the broker's mark against duplicates.
type stored struct {
	Seq     uint64      `json:"seq"`
	Subject string      `json:"subject"`
	ID      string      `json:"id,omitempty"`
	Header  nats.Header `json:"header,omitempty"`
	Data    []byte      `json:"data,omitempty"`
}

type archiveBeginning struct {
	Form int `json:"form"`
}

// archiveEnding is what is known once everything was read.
type archiveEnding struct {
	TakenAt time.Time                  `json:"taken_at"`
	LastSeq uint64                     `json:"last_seq"`
	Events  uint64                     `json:"events"`
	Stores  map[string]archiveStore    `json:"stores"`
	Readers []jetstream.ConsumerConfig `json:"readers"`
	// Next is, by reader, the first event that it has not settled.
	Next map[string]uint64 `json:"next"`
	// EventSum is the digest of the events alone, to compare with what a restore wrote.
	EventSum string `json:"event_sum"`
	Sum      string `json:"sum"`
}

type archiveStore struct {
	About string `json:"about,omitempty"`
	Keys  int    `json:"keys"`
}

// archiveWriter writes a backup, part by part.
type archiveWriter struct {
	gz     *gzip.Writer
	tar    *tar.Writer
	sum    hash.Hash
	stream string
	lines  bytes.Buffer
	parts  int
}

func newArchiveWriter(w io.Writer) (*archiveWriter, error) {
	gz, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
	if err != nil {
		return nil, fmt.Errorf("compress the backup: %w", err)
	}
	a := &archiveWriter{gz: gz, tar: tar.NewWriter(gz), sum: sha256.New()}
	return a, a.document(archiveAbout, archiveBeginning{archiveForm})
}

func (a *archiveWriter) document(name string, v any) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("encode %s: %w", name, err)
	}
	return a.entry(name, data)
}

func (a *archiveWriter) entry(name string, data []byte) error {
	err := a.tar.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(data))})
	if err == nil {
		_, err = a.tar.Write(data)
	}
	if err != nil {
		return fmt.Errorf("write %s of the backup: %w", name, err)
	}
	fmt.Fprintf(a.sum, "%s %d\n", name, len(data))
	a.sum.Write(data)
	return nil
}

// add appends a message of a stream.
func (a *archiveWriter) add(stream string, line []byte) error {
	if a.stream != stream || a.lines.Len() >= archivePart {
		if err := a.flush(); err != nil {
			return err
		}
		a.stream = stream
	}
	a.lines.Write(line)
	a.lines.WriteByte('\n')
	return nil
}

func (a *archiveWriter) flush() error {
	if a.lines.Len() == 0 {
		return nil
	}
	a.parts++
	err := a.entry(fmt.Sprintf("%s/%06d.jsonl", a.stream, a.parts), a.lines.Bytes())
	a.lines.Reset()
	return err
}

// finish seals the backup.
func (a *archiveWriter) finish(end archiveEnding) error {
	if err := a.flush(); err != nil {
		return err
	}
	end.Sum = hex.EncodeToString(a.sum.Sum(nil))
	if err := a.document(archiveEnd, end); err != nil {
		return err
	}
	if err := errors.Join(a.tar.Close(), a.gz.Close()); err != nil {
		return fmt.Errorf("end the backup: %w", err)
	}
	return nil
}

// readArchive reads a backup and hands over each message with its stream. It returns
// the ending, or why this is no whole backup.
func readArchive(r io.Reader, each func(stream string, m stored) error) (end archiveEnding, err error) {
	gz, err := gzip.NewReader(r)
	if err != nil {
		return end, fmt.Errorf("this is no backup of ringbridge: %w", err)
	}
	files, sum, form := tar.NewReader(gz), sha256.New(), archiveBeginning{}
	for {
		header, err := files.Next()
		if err != nil {
			return end, fmt.Errorf("the backup is cut off or damaged: %w", noEOF(err))
		}
		data, err := io.ReadAll(io.LimitReader(files, 64<<20))
		if err != nil {
			return end, fmt.Errorf("the backup is cut off or damaged in %s: %w", header.Name, noEOF(err))
		}
		if header.Name == archiveEnd {
			if err := json.Unmarshal(data, &end); err != nil {
				return end, fmt.Errorf("read %s of the backup: %w", header.Name, err)
			}
			break
		}
		fmt.Fprintf(sum, "%s %d\n", header.Name, len(data))
		sum.Write(data)
		stream, _, part := strings.Cut(header.Name, "/")
		switch {
		case part && form.Form == archiveForm:
			if err := readPart(stream, data, each); err != nil {
				return end, fmt.Errorf("read %s of the backup: %w", header.Name, err)
			}
		case header.Name == archiveAbout:
			if err := json.Unmarshal(data, &form); err != nil || form.Form != archiveForm {
				return end, fmt.Errorf("the backup has the form %d, this version reads form %d", form.Form, archiveForm)
			}
		default:
			return end, fmt.Errorf("this is no backup of ringbridge: it begins with %s", header.Name)
		}
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != end.Sum {
		return end, fmt.Errorf("the backup is damaged: its content has the digest %s, it was written with %s", got, end.Sum)
	}
	// Reading to the end of the compressed stream checks its own checksum too.
	if _, err := io.Copy(io.Discard, gz); err != nil {
		return end, fmt.Errorf("the backup is cut off or damaged: %w", err)
	}
	return end, nil
}

// noEOF keeps the end of a file, which readers take for a good end, from looking like one.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

func readPart(stream string, data []byte, each func(string, stored) error) error {
	for line := range bytes.Lines(data) {
		var m stored
		if err := json.Unmarshal(line, &m); err != nil {
			return err
		}
		if err := each(stream, m); err != nil {
			return err
		}
	}
	return nil
}

// digest adds up messages, leaving out the mark against duplicates: a restore has to
// take it from the second of two messages that bear the same.
type digest struct{ hash.Hash }

func newDigest() digest { return digest{sha256.New()} }

func (d digest) add(m stored) error {
	m.ID = ""
	line, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encode message %d: %w", m.Seq, err)
	}
	d.Write(line)
	return nil
}

func (d digest) String() string { return hex.EncodeToString(d.Sum(nil)) }
