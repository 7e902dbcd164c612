// Package bitrixtest is a Bitrix24 portal that lives in memory: it keeps leads, deals, contacts,
// companies, tasks and calls, answers the REST methods this program uses, counts requests the way the
// cloud does, and breaks on demand in the ways a portal and the network before it break.
//
// It exists so that a test can ask "what would the portal hold now?" instead of "which request was
// sent?", and so that the demonstration runs without an account. It must never learn anything from
// the client it tests: it imports nothing of this program, and its shapes come from the vendor's
// documentation (github.com/bitrix24/b24restdocs). Where the documentation leaves a question open,
// the answer is a switch in Options, and the comment says which way the zero value goes.
//
// Start reading at Options, then Portal.ServeHTTP for the order in which a request is judged,
// then methods.go for the list of what is answered. Fault lists what can be broken.
package bitrixtest
