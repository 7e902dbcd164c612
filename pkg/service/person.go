package service

import (
	"context"
	"slices"
)

// Role is what a person may do. Each role may all that the ones before it may.
type Role string

// The roles.
const (
	// Viewer sees everything but secrets.
	Viewer Role = "viewer"
	// Operator also puts right what is stuck: retries, drops, replays.
	Operator Role = "operator"
	// Admin also changes settings and people.
	Admin Role = "admin"
)

// Roles are all roles, from the least to the most.
var Roles = []Role{Viewer, Operator, Admin}

// May tells whether the role allows what at least the wanted role may do.
func (r Role) May(wanted Role) bool {
	return slices.Contains(Roles, r) && slices.Index(Roles, r) >= slices.Index(Roles, wanted)
}

// Person is who asks.
type Person struct {
	Name string
	Role Role
}

// TokenHolder is whoever holds the console's token: there is one token, and no name.
var TokenHolder = Person{Name: "token", Role: Admin}

type personKey struct{}

// As marks what is done in ctx as done by p.
func As(ctx context.Context, p Person) context.Context {
	return context.WithValue(ctx, personKey{}, p)
}

// Who tells who asks; nobody may do anything.
func Who(ctx context.Context) Person {
	p, _ := ctx.Value(personKey{}).(Person)
	return p
}
