package settings

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	_ "time/tzdata" // time zones must be known on a machine without a zone database
)

// Config is the whole configuration file. Relative paths in it are relative to
// the directory the program was started in.
type Config struct {
	Listen    string    `json:"listen"`     // host:port of webhooks, console and API
	PublicURL string    `json:"public_url"` // what Ringostat is told; no slash at the end
	Data      string    `json:"data"`       // directory of the embedded broker and the read models
	Log       Log       `json:"log"`
	SecretKey Secret    `json:"secret_key,omitempty"` // 32 bytes in standard base64, or empty: make one in DATA/secret.key
	NATS      *NATS     `json:"nats,omitempty"`       // nil: the embedded broker
	Console   Console   `json:"console"`
	Projects  []Project `json:"projects"` // in the order of the file; their IDs differ
}

// Log says what is logged and how.
type Log struct {
	Level  string `json:"level"`  // debug, info, warn or error
	Format string `json:"format"` // json or console
}

// NATS is a broker outside this process.
type NATS struct {
	URL         string `json:"url"`                   // one or more addresses, separated by commas; no password in it
	Credentials string `json:"credentials,omitempty"` // path of a credentials file, or empty
	Replicas    int    `json:"replicas"`              // copies of every stream: 1, 3 or 5
}

// Console is the web console and the API.
type Console struct {
	Token Secret `json:"token,omitempty"` // bearer token; empty: make one in DATA/token
}

// Limits and defaults of the file. The file is written by hand, so one that is
// larger than this is another file.
const (
	maxFile         = 4 << 20
	defaultListen   = "127.0.0.1:8080"
	defaultData     = "./data"
	defaultReplicas = 3
)

// Default returns what an empty file means: everything on this machine, the
// embedded broker, no project yet.
func Default() Config {
	return Config{
		Listen:    defaultListen,
		PublicURL: "http://" + defaultListen,
		Data:      defaultData,
		Log:       Log{Level: "info", Format: "json"},
		Projects:  []Project{},
	}
}

// Load reads the configuration file at path. env looks a variable up, as
// [os.LookupEnv] does; rules are the IDs that `scenarios.off` may name (nil:
// not checked). The error is [Problems], or one that wraps what the operating
// system said about the file ([fs.ErrNotExist], [fs.ErrPermission]).
func Load(path string, env func(string) (string, bool), rules []string) (Config, error) {
	return load(&report{file: path}, env, rules)
}

// LoadHere is [Load] for a program that works with the configuration where it is: a
// file named in it that cannot be read is a problem too.
func LoadHere(path string, env func(string) (string, bool), rules []string) (Config, error) {
	return load(&report{file: path, files: true}, env, rules)
}

// Look reads the configuration of an instance that runs elsewhere: the keys named, from
// the outermost block. What is wrong with others, such as a variable that is not set
// here, does not matter, and they may be left at their defaults.
func Look(path string, env func(string) (string, bool), keys ...string) (Config, error) {
	return load(&report{file: path, only: keys}, env, nil)
}

func load(r *report, env func(string) (string, bool), rules []string) (Config, error) {
	path := r.file
	data, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Config{}, fmt.Errorf("%s: %w; want an existing file: `ringbridge init %s` writes one to start from", path, fs.ErrNotExist, path)
	case errors.Is(err, fs.ErrPermission):
		return Config{}, fmt.Errorf("%s: %w; want a file that the user of this process may read", path, fs.ErrPermission)
	case errors.Is(err, syscall.EISDIR):
		return Config{}, fmt.Errorf("%s: is a folder; want a file: `ringbridge init FILE` writes one to start from", path)
	case err != nil:
		return Config{}, fmt.Errorf("read the configuration: %w", err)
	}
	return r.parse(data, env, rules)
}

// Parse reads the text of a configuration file; name is the file's name in
// errors. An empty text means [Default]. env and rules are as in [Load]; a nil
// env knows no variable. The error is [Problems], and then the Config is empty.
func Parse(name string, data []byte, env func(string) (string, bool), rules []string) (Config, error) {
	return (&report{file: name}).parse(data, env, rules)
}

func (r *report) parse(data []byte, env func(string) (string, bool), rules []string) (Config, error) {
	if env == nil {
		env = func(string) (string, bool) { return "", false }
	}
	if len(data) > maxFile {
		r.add(position{}, "", "is larger than 4 MiB", "a configuration file")
		return Config{}, r.err()
	}
	root := yamlTree(r, data, env)
	config := readConfig(r, root, rules)
	if err := r.err(); err != nil {
		return Config{}, err
	}
	return config, nil
}
