package event

import "time"

// This file is what is wanted of Bitrix24, and what came of it.

// Kind says what a command is about.
type Kind string

// The kinds of command. KindNothing says that a rule wants nothing done: it keeps
// an ignored call in sight.
const (
	KindLead    Kind = "lead"
	KindDeal    Kind = "deal"
	KindContact Kind = "contact"
	KindTask    Kind = "task"
	KindNothing Kind = "nothing"
)

// BitrixCommand is one thing that should be true in the CRM because of a call. It
// says what, not how: the writer compares it with what was made true before.
type BitrixCommand struct {
	ID      string `json:"command_id"`
	Project string `json:"project"`
	Call    string `json:"call_id"`
	// Role tells the commands of a call apart: lead, deal, contact, task:done …
	Role string `json:"role"`
	Kind Kind   `json:"kind"`
	Rule string `json:"rule"`
	// Plan is the call.resolved event that asked for it; Index counts from 1 to Of.
	Plan     string `json:"plan_id"`
	Index    int    `json:"index"`
	Of       int    `json:"of"`
	Revision int    `json:"revision"`
	// Code is the version of the program that decided.
	Code      string   `json:"code,omitempty"`
	Lane      string   `json:"lane"`
	DependsOn []string `json:"depends_on,omitempty"`
	// Amends is true when only what exists may be brought up to date.
	Amends bool `json:"amends,omitempty"`
	// Replay is the plan that asked for it: it waits behind what is live.
	Replay string `json:"replay_id,omitempty"`
	// Keep names fields that a person changed: they stay as they are.
	Keep []string `json:"keep,omitempty"`
	// Unwanted is true for something that should not have been made.
	Unwanted bool    `json:"unwanted,omitempty"`
	Entity   *Entity `json:"entity,omitempty"`
	Task     *Task   `json:"task,omitempty"`
}

// Link binds to an entity that exists (ID) or that another command makes (Command).
type Link struct {
	Kind    Kind   `json:"kind"`
	ID      int    `json:"id,omitempty"`
	Command string `json:"command_id,omitempty"`
}

// Entity is a lead, a deal or a contact as it should be.
type Entity struct {
	Title       string            `json:"title"`
	Name        string            `json:"name,omitempty"`
	Phone       string            `json:"phone,omitempty"`
	Responsible int               `json:"responsible"`
	Source      string            `json:"source,omitempty"`
	SourceNote  string            `json:"source_note,omitempty"`
	Stage       string            `json:"stage,omitempty"`
	Category    int               `json:"category,omitempty"`
	Contact     *Link             `json:"contact,omitempty"`
	Company     *Link             `json:"company,omitempty"`
	Comments    string            `json:"comments,omitempty"`
	Traffic     Traffic           `json:"traffic,omitzero"`
	Custom      map[string]string `json:"custom,omitempty"`
}

// Task is a task as it should be. Closed ones are closed by the writer after they
// are made, so that the portal notes who and when.
type Task struct {
	Title       string     `json:"title"`
	Description string     `json:"description"`
	Responsible int        `json:"responsible"`
	Deadline    *time.Time `json:"deadline,omitempty"`
	Closed      bool       `json:"closed"`
	ClosedAt    *time.Time `json:"closed_at,omitempty"`
	ClosedBy    int        `json:"closed_by,omitempty"`
	Links       []Link     `json:"links,omitempty"`
}

// OutcomeState says what became of a command.
type OutcomeState string

// The states. Executed, AlreadyTrue, Adopted and Refused are final.
const (
	Executed    OutcomeState = "executed"
	Adopted     OutcomeState = "adopted"
	AlreadyTrue OutcomeState = "already_true"
	Refused     OutcomeState = "refused"
	InDoubt     OutcomeState = "in_doubt"
)

// Settled says whether nothing more will happen to the command by itself.
func (s OutcomeState) Settled() bool { return s != InDoubt && s != "" }

// BitrixOutcome is what became of one command.
type BitrixOutcome struct {
	Command string       `json:"command_id"`
	Project string       `json:"project"`
	Call    string       `json:"call_id"`
	Plan    string       `json:"plan_id"`
	Role    string       `json:"role"`
	Kind    Kind         `json:"kind"`
	State   OutcomeState `json:"state"`
	// BitrixID is the entity's or the task's id in the portal; 0 where there is none.
	BitrixID int `json:"bitrix_id,omitempty"`
	Attempt  int `json:"attempt,omitempty"`
	// Reason is a word for machines, Error a sentence for a manager in the project's
	// language; ErrorIn has it in every language.
	Reason  string `json:"reason,omitempty"`
	Error   string `json:"error,omitempty"`
	ErrorIn Texts  `json:"error_in,omitempty"`
}
