package settings

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"syscall"
)

// readConfig reads the whole file. What it returns is only good when nothing
// was reported.
func readConfig(r *report, root *node, rules []string) Config {
	config := Default()
	b, ok := r.open(root, "", keysOf[Config]())
	if !ok {
		return config
	}
	b.text("listen", &config.Listen, "host:port, for example "+defaultListen, hostPort)
	config.PublicURL = "http://" + reachable(config.Listen)
	var public string
	if b.hidden("public_url", &public, "the address under which Ringostat reaches this program, for example https://calls.example.com", notEmpty, isAddress) {
		config.PublicURL = strings.TrimRight(public, "/")
	}
	b.text("data", &config.Data, "a directory, for example "+defaultData, notEmpty, tidy)
	readLog(b, &config.Log)
	b.secret("secret_key", &config.SecretKey, "", "32 random bytes in base64, as `openssl rand -base64 32` makes them; without the key one is made at the first start", key32)
	config.NATS = readNATS(b)
	if console, ok := b.block("console", keysOf[Console]()); ok {
		console.secret("token", &config.Console.Token, "", "visible characters without spaces, as `openssl rand -hex 16` makes them; without the key one is made at the first start",
			shape(visible, "holds a space, a line break or a character outside ASCII"))
	}
	config.Projects = readProjects(b, rules)
	return config
}

// reachable makes an address to open out of one to listen on.
func reachable(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen
	}
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

func isAddress(value string) (string, string) {
	_, what := webAddress(value)
	return what, ""
}

func readLog(b reader, log *Log) {
	block, ok := b.block("log", keysOf[Log]())
	if !ok {
		return
	}
	block.text("level", &log.Level, "", oneOf("a log level", "debug", "info", "warn", "error"))
	block.text("format", &log.Format, "", oneOf("a log format", "json", "console"))
}

func readNATS(b reader) *NATS {
	block, ok := b.block("nats", keysOf[NATS]())
	if !ok {
		return nil
	}
	nats := &NATS{Replicas: defaultReplicas}
	block.require("url", wantNATS+"; or no nats block at all for the embedded broker")
	block.hidden("url", &nats.URL, wantNATS, notEmpty, natsAddresses)
	checks := []check{notEmpty, tidy}
	if block.files {
		checks = append(checks, readable)
	}
	block.text("credentials", &nats.Credentials, "the path of a .creds file that this process may read; a relative one begins where the program is started", checks...)
	if block.whole("replicas", &nats.Replicas, 1, "1, 3 or 5") && !slices.Contains([]int{1, 3, 5}, nats.Replicas) {
		block.complain("replicas", fmt.Sprintf("%s is no number of copies that can have a majority", block.values["replicas"].shown()), "1, 3 or 5")
	}
	return nats
}

// readable says whether a file can be read, from where the program was started.
func readable(path string) (string, string) {
	file, err := os.Open(path)
	if err == nil {
		var info os.FileInfo
		if info, err = file.Stat(); err == nil && info.IsDir() {
			err = syscall.EISDIR
		}
		_ = file.Close()
	}
	reason := err
	if broken := (*fs.PathError)(nil); errors.As(err, &broken) {
		reason = broken.Err
	}
	if reason != nil {
		return "cannot be read: " + reason.Error(), ""
	}
	return "", ""
}

const wantNATS = "one or more addresses with commas between them, for example nats://n1:4222,nats://n2:4222"

func natsAddresses(value string) (string, string) {
	for _, address := range strings.Split(value, ",") {
		parsed, err := url.Parse(strings.TrimSpace(address))
		switch {
		case err != nil || parsed.Hostname() == "":
			return "holds something that is not an address", ""
		case !slices.Contains([]string{"nats", "tls", "ws", "wss"}, parsed.Scheme):
			return "has an address that does not begin with nats://, tls://, ws:// or wss://", ""
		case parsed.User != nil:
			return "has a user name or a password in it, where logs would show it", wantNATS + ", and a credentials file under `credentials`"
		}
	}
	return "", ""
}

func readProjects(b reader, rules []string) []Project {
	projects := []Project{}
	const want = "a list: each project begins with `- id: ...`"
	first := map[string]string{}
	for i, item := range b.items("projects", want) {
		path := fmt.Sprintf("projects[%d]", i)
		if item.kind == nothing {
			b.add(item.at, path, "is empty", want)
			continue
		}
		block, ok := b.open(item, path, keysOf[Project]())
		if !ok {
			continue
		}
		project := readProject(block, Project{}, rules)
		if other, again := first[project.ID]; again && project.ID != "" {
			block.complain("id", "is also the id of "+other, "an id of its own for every project")
		}
		first[project.ID] = path
		projects = append(projects, project)
	}
	return projects
}
