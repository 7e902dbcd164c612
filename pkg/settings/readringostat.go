package settings

import (
	"fmt"
	"slices"
	"strings"
)

// ringostatNames are our names of the parameters that Ringostat sends; a
// project that renamed one says so under `ringostat.fields`.
var ringostatNames = []string{
	"call_id", "event", "direction", "status", "date",
	"caller", "callee", "connected_with", "outbound_number",
	"call_duration", "waiting", "talk",
	"recording", "recording_wav", "has_recording",
	"employee_name", "employee_code", "extension", "department",
	"scheme", "pool", "insertion_type",
	"client_id", "landing", "referrer", "visitor_ip", "user_agent", "call_card",
	"utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term",
}

const wantToken = "letters, digits and _ - . ~, as `openssl rand -hex 16` makes them: the secret end of the webhook address that Ringostat calls"

func readRingostat(b reader, p *Project, previous Ringostat) {
	if !b.has("ringostat") {
		b.complain("ringostat", "is missing, so nobody could send calls", "a block with `token:`, "+wantToken)
		return
	}
	block, ok := b.block("ringostat", keysOf[Ringostat]())
	if !ok {
		return
	}
	block.require("token", wantToken)
	p.Ringostat.Tokens = readTokens(block, previous.Tokens)
	readAPI(block, p, previous)
	// A name that is nearly one of ours is a slip of the pen; any other reads a custom
	// parameter under the project's own name for it.
	names := slices.Clone(ringostatNames)
	if n := block.values["fields"]; n != nil {
		for _, e := range n.entries {
			if Nearest(e.key, ringostatNames) == "" {
				names = append(names, e.key)
			}
		}
	}
	if fields, ok := block.block("fields", names); ok {
		p.Ringostat.Fields = map[string]string{}
		for _, name := range names {
			var theirs string
			if fields.text(name, &theirs, "the name that this project gave the parameter", notEmpty, tidy) {
				p.Ringostat.Fields[name] = theirs
			}
		}
	}
}

// readTokens reads one token or a list of one or two.
func readTokens(b reader, previous []Secret) []Secret {
	n := b.values["token"]
	if n == nil || n.kind == nothing || n.kind == broken {
		return nil
	}
	path := join(b.path, "token")
	items, paths := []*node{n}, []string{path}
	if n.kind == list {
		items, paths = n.items, nil
		for i := range items {
			paths = append(paths, fmt.Sprintf("%s[%d]", path, i))
		}
		if len(items) == 0 || len(items) > 2 {
			b.complain("token", fmt.Sprintf("has %d tokens", len(items)), "one token, or two while Ringostat is moved from the old one to the new one")
			return nil
		}
	}
	var tokens []Secret
	for i, item := range items {
		if item.kind == nothing {
			b.add(item.at, paths[i], "is empty", wantToken)
			continue
		}
		if item.kind == text && item.value == Mask && len(previous) > 1 && len(previous) != len(items) {
			b.add(item.at, paths[i], "does not say which of the two tokens it keeps", "the token itself")
			continue
		}
		var token Secret
		if !b.secretNode(item, paths[i], &token, kept(previous, i), wantToken, []check{segment}) {
			continue
		}
		if slices.Contains(tokens, token) {
			b.add(item.at, paths[i], "is the same token as the other one", "two different tokens, or one")
			continue
		}
		tokens = append(tokens, token)
	}
	return tokens
}

// kept returns the token that a mask in place i stands for: the only one, or
// the one in the same place.
func kept(previous []Secret, i int) Secret {
	switch {
	case len(previous) == 1:
		return previous[0]
	case i < len(previous):
		return previous[i]
	}
	return ""
}

// readAPI reads how Ringostat's own API is reached. The portal's allow_insecure
// holds here too: both addresses are sent a secret.
func readAPI(b reader, p *Project, previous Ringostat) {
	const want = "the address of Ringostat's API, https://api.ringostat.net"
	b.hidden("api_url", &p.Ringostat.APIURL, want, notEmpty, isAddress, func(value string) (string, string) {
		if address, _ := webAddress(value); !p.Bitrix24.AllowInsecure && outside(address) != "" {
			return outside(address), want + "; or `allow_insecure: true` under bitrix24, for tests"
		}
		return "", ""
	})
	p.Ringostat.APIURL = strings.TrimRight(p.Ringostat.APIURL, "/")
	b.sameAddress("api_key", previous.APIKey, p.Ringostat.APIURL == previous.APIURL)
	b.secret("api_key", &p.Ringostat.APIKey, previous.APIKey,
		"the key from Integration, Ringostat API; or no api_key at all: then calls whose webhook was lost are not looked for",
		shape(visible, "holds a space, a line break or a character outside ASCII"))
}
