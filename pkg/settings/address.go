package settings

import (
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// Address returns where the portal is (scheme and host only) and who the
// webhook belongs to, whichever of the two ways the settings say it. The portal
// is nil when they don't; settings that came out of this package always do.
func (b Bitrix24) Address() (portal *url.URL, user string, secret Secret) {
	if b.Webhook != "" {
		portal, user, secret, what, _ := splitWebhook(b.Webhook.Reveal())
		if what != "" {
			return nil, "", ""
		}
		return portal, user, secret
	}
	portal, what, _ := splitPortal(b.Portal)
	if what != "" {
		return nil, "", ""
	}
	return portal, b.User, b.Secret
}

const (
	wantWebhook = "the address that Bitrix24 shows for an inbound webhook: https://PORTAL/rest/USER/SECRET/"
	wantPortal  = "the portal's host, for example example.bitrix24.ua"
)

// A webhook's address may end in a method's name, as Bitrix24 shows it in its
// own examples.
var methodName = regexp.MustCompile(`^[a-z][a-z0-9.]*$`)

// splitWebhook reads https://PORTAL/rest/USER/SECRET/, with or without the
// slash or the name of a method at the end. Nothing of the text is in its
// answers.
func splitWebhook(text string) (portal *url.URL, user string, secret Secret, what, want string) {
	address, what := webAddress(text)
	if what != "" {
		return nil, "", "", what, wantWebhook
	}
	parts := strings.Split(strings.TrimPrefix(address.EscapedPath(), "/"), "/")
	if parts[len(parts)-1] == "" {
		parts = parts[:len(parts)-1]
	}
	switch {
	case len(parts) < 3 || parts[0] != "rest":
		return nil, "", "", "has no /rest/USER/SECRET/ in it", wantWebhook
	case parts[1] == "api":
		return nil, "", "", "is the address of REST 3.0", wantWebhook + ", without /api"
	case !userNumber.MatchString(parts[1]):
		return nil, "", "", "has no user number after /rest/", wantWebhook
	case !safeSegment(parts[2]):
		return nil, "", "", "has a secret with characters that no webhook has", wantWebhook
	case len(parts) > 4 || len(parts) == 4 && !methodName.MatchString(parts[3]):
		return nil, "", "", "goes on after the secret", wantWebhook
	}
	return &url.URL{Scheme: address.Scheme, Host: address.Host}, parts[1], Secret(parts[2]), "", ""
}

// safeSegment tells whether a text is one segment of a path and stays one.
func safeSegment(text string) bool {
	return pathSafe.MatchString(text) && text != "." && text != ".."
}

func segment(value string) (string, string) {
	if !safeSegment(value) {
		return "holds characters other than letters, digits and _ - . ~", ""
	}
	return "", ""
}

// splitPortal reads a host, or a scheme and a host; without a scheme it is
// https.
func splitPortal(text string) (portal *url.URL, what, want string) {
	if !strings.Contains(text, "://") {
		text = "https://" + text
	}
	address, what := webAddress(text)
	if what != "" {
		return nil, what, wantPortal
	}
	if address.Path != "" && address.Path != "/" {
		return nil, "goes on after the host", wantPortal + "; a whole webhook address goes under `webhook`"
	}
	return &url.URL{Scheme: address.Scheme, Host: address.Host}, "", ""
}

var hostName = regexp.MustCompile(`^([a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?\.)*[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?\.?$`)

// webAddress reads an http or https address that holds nothing but host and
// path. Nothing of the text is in what it says.
func webAddress(text string) (address *url.URL, what string) {
	if what, _ := tidy(text); what != "" {
		return nil, what
	}
	address, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, "is not an address"
	case address.Scheme != "http" && address.Scheme != "https":
		return nil, "is not an http or https address"
	case address.User != nil:
		return nil, "has a user name in it"
	case address.Hostname() == "":
		return nil, "has no host"
	case !rightPort(address.Port()):
		return nil, "has no port between 1 and 65535"
	case address.RawQuery != "" || address.ForceQuery || address.Fragment != "" || strings.HasSuffix(text, "#"):
		return nil, "has a ? or # in it"
	}
	if _, err := netip.ParseAddr(address.Hostname()); err != nil && !hostName.MatchString(address.Hostname()) {
		return nil, "has a host that is no name and no IP address; write a name of other letters in its xn-- form"
	}
	return address, ""
}

func rightPort(port string) bool {
	n, err := strconv.Atoi(port)
	return port == "" || err == nil && n > 0 && n <= 65535
}

// Names that mean a machine inside, by the registries of special names
// (RFC 6761, 6762, 8375, 9476 and the reserved .internal).
var insideNames = []string{"localhost", "local", "localdomain", "internal", "intranet", "lan", "home.arpa", "corp", "home", "private", "alt"}

// outside tells why an address may not be asked for without allow_insecure, or
// "". It sees the text only: what a name resolves to is checked where the
// connection is made.
func outside(address *url.URL) string {
	host := strings.ToLower(strings.TrimSuffix(address.Hostname(), "."))
	last := host[strings.LastIndexByte(host, '.')+1:]
	// A last label that begins with a digit is read as an IP address by many
	// resolvers: 127.1, 0x7f.1, 2130706433.
	if _, err := netip.ParseAddr(address.Hostname()); err == nil || last[0] >= '0' && last[0] <= '9' {
		return "names the host by its IP address"
	}
	for _, name := range insideNames {
		if host == name || strings.HasSuffix(host, "."+name) {
			return "names a host inside this network"
		}
	}
	if !strings.Contains(host, ".") {
		return "names a host inside this network"
	}
	if address.Scheme != "https" {
		return "is not https"
	}
	return ""
}
