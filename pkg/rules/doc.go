// Package rules is the decision table: what has to exist in the CRM after a call.
//
// It takes a [Situation], the four facts that matter about a call, and answers with the one [Rule] for it: steps in
// the article's words, given to roles and never to ids. Which user is the senior manager, what a "lead" is made of
// and how long a task may take are settings, and turning steps into commands is the planner's work.
//
// The package imports the standard library only. It must never look at a clock, a network, a file, a random number
// or a setting: a call from last March is decided today exactly as it was then.
//
// Start reading at table.go. RULES.md is the same table for people who don't read Go, ARTICLE.md says which scenario
// proves which sentence of Ringostat's article. Both are written, with the lower halves of testdata/scenarios, by
//
//	go test ./rules -update
//
// Read that diff before committing it: it is a change of what customers get.
package rules
