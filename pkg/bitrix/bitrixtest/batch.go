package bitrixtest

import (
	"strings"
	"time"
)

// maxBatch is the number of commands a batch runs; each further one is refused by itself.
const maxBatch = 50

// results collects what a batch answers
// (https://apidocs.bitrix24.com/settings/how-to-call-rest-api/batch.html).
type results struct {
	result, fail, total, next, took *array
}

// batch runs the commands of a batch one after another. The answer is 200 whatever happens in them.
func (s session) batch() reply {
	start := s.p.now()
	out := results{newArray(), newArray(), newArray(), newArray(), newArray()}
	commands := asArray(s.in.params.fold("cmd"))
	halt := yes(s.in.params.fold("halt"))
	var used time.Duration
	ran := 0
	for i, key := range commands.names() {
		line, isText := commands.vals[key].(string)
		if !isText {
			continue
		}
		if i >= maxBatch {
			s.refused(out, key, refuse(400, "ERROR_BATCH_LENGTH_EXCEEDED", "Max batch length exceeded"))
			continue
		}
		if s.limit > 0 && ran >= s.limit {
			break
		}
		ran++
		took, failed := s.command(out, key, line)
		used += took
		if s.p.tooLong(used) {
			return gatewayTimeout()
		}
		if failed && halt {
			break
		}
	}
	body := object("result", object(
		"result", out.result, "result_error", out.fail, "result_total", out.total,
		"result_next", out.next, "result_time", out.took))
	body.set("time", s.timeBlock("batch", start, used, false))
	return jsonReply(200, body)
}

func (s session) command(out results, key, line string) (took time.Duration, failed bool) {
	name, query, _ := strings.Cut(line, "?")
	name = strings.ToLower(strings.TrimSuffix(name, ".json"))
	start := s.p.now()
	params, r := out.resolve(parseQuery(query))
	if r != nil {
		s.refused(out, key, r)
		return 0, true
	}
	a, used, r := s.run(name, params, true)
	if r != nil {
		s.refused(out, key, r)
		return used, true
	}
	out.result.set(key, a.result)
	if a.total != nil {
		out.total.set(key, *a.total)
	}
	if a.next != nil {
		out.next.set(key, *a.next)
	}
	out.took.set(key, s.timeBlock(name, start, used, true))
	s.note(key, true, "")
	return used, false
}

func (s session) refused(out results, key string, r *refusal) {
	out.fail.set(key, r.body())
	s.note(key, false, r.code)
}

// note writes the fate of one command into the log of requests.
func (s session) note(key string, ran bool, code string) {
	s.enter()
	defer s.leave()
	for i := range s.log.Commands {
		if c := &s.log.Commands[i]; c.Key == key {
			c.Ran, c.Error = ran, code
		}
	}
}

// commandsOf lists what a batch asks for, for the log and for aiming faults.
func commandsOf(in incoming) []Command {
	if in.method != "batch" {
		return nil
	}
	var out []Command
	commands := asArray(in.params.fold("cmd"))
	for _, key := range commands.names() {
		line, isText := commands.vals[key].(string)
		if !isText {
			continue
		}
		name, _, _ := strings.Cut(line, "?")
		out = append(out, Command{Key: key, Method: strings.ToLower(strings.TrimSuffix(name, ".json"))})
	}
	return out
}
