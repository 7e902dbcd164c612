package settings

import (
	"fmt"
	"time"
)

func readBitrix(b reader, into *Bitrix24, previous Bitrix24) {
	parts := b.has("portal") || b.has("user") || b.has("secret")
	switch {
	case b.has("webhook") && parts:
		b.complain("webhook", "stands beside portal, user or secret", "either the webhook's address or its three parts")
	case parts:
		readParts(b, into, previous)
	case !b.has("webhook"):
		b.complain("webhook", "is missing", wantWebhook+"; or its three parts `portal:`, `user:` and `secret:`")
	case b.secret("webhook", &into.Webhook, previous.Webhook, wantWebhook):
		portal, _, _, what, want := splitWebhook(into.Webhook.Reveal())
		if what == "" && !into.AllowInsecure {
			what, want = outside(portal), wantOutside
		}
		if what != "" {
			b.complain("webhook", "the value "+what, want)
		}
	}
	if pace, ok := b.block("pace", keysOf[Pace]()); ok {
		pace.rate("per_second", &into.Pace.PerSecond, "requests per second that the portal's plan allows: 2, on Enterprise 5")
		pace.whole("burst", &into.Pace.Burst, 1, "requests at once that the portal's plan allows: 50, on Enterprise 250")
	}
	b.span("request_timeout", &into.RequestTimeout, time.Millisecond, "75s")
	b.span("max_execution", &into.MaxExecution, time.Millisecond, "60s")
	b.span("settle", &into.Settle, 0, "5s")
	if limit := into.MaxExecution; into.RequestTimeout <= limit {
		key := "request_timeout"
		if !b.has(key) {
			key = "max_execution"
		}
		b.complain(key, fmt.Sprintf("leaves request_timeout at %s and max_execution at %s: giving up on a request that the portal still executes makes entities twice", into.RequestTimeout, limit),
			"a request_timeout that is longer than max_execution, the portal's own limit on one request, for example 75s and 60s")
	}
}

const wantOutside = "an https address that is reachable by name from the internet; or `allow_insecure: true`, for tests"

// readParts reads the webhook's address in three parts.
func readParts(b reader, into *Bitrix24, previous Bitrix24) {
	const wantUser = "the number after /rest/ in the webhook's address, for example 1"
	const wantSecret = "the part after the user's number in the webhook's address: letters, digits and _ - . ~"
	b.require("portal", wantPortal)
	b.require("user", wantUser)
	b.require("secret", wantSecret)
	b.hidden("portal", &into.Portal, wantPortal, notEmpty, func(value string) (string, string) {
		portal, what, want := splitPortal(value)
		if what == "" && !into.AllowInsecure {
			what, want = outside(portal), wantOutside
		}
		return what, want
	})
	b.hidden("user", &into.User, wantUser, shape(userNumber, "is not a user's number"))
	b.sameAddress("secret", previous.Secret, into.Portal == previous.Portal && into.User == previous.User)
	b.secret("secret", &into.Secret, previous.Secret, wantSecret, segment)
}

// sameAddress refuses a mask for a secret that would go to another address than
// the one it was given for: who may change settings may not thereby read secrets.
func (b reader) sameAddress(key string, previous Secret, same bool) {
	n := b.values[key]
	if n != nil && n.kind == text && n.value == Mask && previous != "" && !same {
		b.complain(key, "is kept only for the address it was given for, and the address changed", "the secret itself")
		n.kind = broken
	}
}
