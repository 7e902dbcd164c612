package settings

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
)

// ParseProjectJSON reads a project's block as the API takes it: the JSON of
// [Project.JSON], whole; a key that is left out has its default. Where a secret
// is [Mask] the one of previous stays, but only for the address it was given
// for. previous is empty for a new project; otherwise the id must be its id and
// may be left out. Nothing is filled in from the environment. rules are as in
// [Load]. The error is [Problems], without file and lines.
func ParseProjectJSON(data []byte, previous Project, rules []string) (Project, error) {
	r := &report{}
	root := jsonTree(r, data)
	block, ok := r.open(root, "", keysOf[Project]())
	if !ok {
		if root.kind == nothing {
			r.add(position{}, "", "is empty", "one JSON object")
		}
		return Project{}, r.err()
	}
	if previous.ID != "" && !block.has("id") {
		block.values["id"] = &node{kind: text, value: previous.ID, written: previous.ID}
	}
	project := readProject(block, previous, rules)
	if previous.ID != "" && project.ID != "" && project.ID != previous.ID {
		block.complain("id", "cannot change: webhook addresses and history hold it", fmt.Sprintf("%q", previous.ID))
	}
	if err := r.err(); err != nil {
		return Project{}, err
	}
	return project, nil
}

// RevealJSON returns the same block as [Project.JSON], but with its secrets in
// the open: only to be sealed and stored. [ParseProjectJSON] reads it back.
func (p Project) RevealJSON() ([]byte, error) {
	block, err := p.open()
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(block)
	if err != nil {
		return nil, fmt.Errorf("settings of project %s: %w", p.ID, err)
	}
	return data, nil
}

// open returns the block as generic JSON, with its secrets in the open.
func (p Project) open() (map[string]any, error) {
	data, err := p.JSON()
	if err != nil {
		return nil, err
	}
	var block map[string]any
	if err := json.Unmarshal(data, &block); err != nil {
		return nil, fmt.Errorf("settings of project %s: %w", p.ID, err)
	}
	tokens := make([]any, len(p.Ringostat.Tokens))
	for i, token := range p.Ringostat.Tokens {
		tokens[i] = token.Reveal()
	}
	reveal(block["ringostat"], "token", tokens)
	reveal(block["ringostat"], "api_key", p.Ringostat.APIKey.Reveal())
	reveal(block["bitrix24"], "webhook", p.Bitrix24.Webhook.Reveal())
	reveal(block["bitrix24"], "secret", p.Bitrix24.Secret.Reveal())
	return block, nil
}

func reveal(block any, key string, value any) {
	if fields, ok := block.(map[string]any); ok && value != "" {
		fields[key] = value
	}
}

// Fingerprint identifies what a person decided about the project, secrets
// included: blocks with the same values have the same one, in any order of keys
// and however the values reached the file. It is compared with that of the last
// start. Values equal to their default are left out, so that a version with a
// new key doesn't look like a person's change.
//
// It reveals nothing: it is a SHA-256 over all secrets together, of which the
// portal makes one too long to be guessed.
func (p Project) Fingerprint() string {
	block, err := p.open()
	if err != nil { // cannot happen: the block is made of texts and finite numbers
		block = map[string]any{"id": p.ID, "unreadable": err.Error()}
	}
	if ordinary, err := defaultProject().open(); err == nil {
		removeEqual(block, ordinary)
	}
	employees, _ := block["employees"].([]any)
	for _, employee := range employees {
		if fields, ok := employee.(map[string]any); ok {
			removeEqual(fields, map[string]any{"takes_missed": true})
		}
	}
	if p.Name == p.ID {
		delete(block, "name")
	}
	data, _ := json.Marshal(block) // sorts the keys
	sum := sha256.Sum256(append([]byte("ringbridge project settings 1\n"), data...))
	return hex.EncodeToString(sum[:])
}

// removeEqual removes from block what ordinary has too, and what that empties.
func removeEqual(block, ordinary map[string]any) {
	maps.DeleteFunc(block, func(key string, value any) bool {
		inner, isBlock := value.(map[string]any)
		if outer, ok := ordinary[key].(map[string]any); isBlock && ok {
			removeEqual(inner, outer)
			return len(inner) == 0
		}
		return reflect.DeepEqual(value, ordinary[key])
	})
}
