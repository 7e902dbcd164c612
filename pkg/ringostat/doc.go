// Package ringostat reads what Ringostat sends: the raw request of a webhook,
// or a row of its call log, becomes a Report in our own words.
//
// Every project chooses its own parameters, names, method and format, so the
// package takes whatever comes: query, form, JSON flat or nested, JSON-RPC,
// and all names that are known to circulate (names.go). It is the only package
// that knows Ringostat's names. It decides nothing about clients, employees or
// the CRM, and reading must stay pure: no clock, no network, no randomness, so
// that a request kept years ago is read again by replay with the same result.
//
// Beside it stands CallLog, the client of the call log (calllog.go,
// callloghttp.go): the one part here that has a clock and a network, and nothing
// that Parse could reach.
//
// What cannot be read is an *Unreadable, whose text a manager understands. No
// error and no Unreadable ever carries a value of the request, only names.
//
// Ringostat's pages are cited as "help 6559993": that is
// https://help.ringostat.com/en/articles/6559993. What no page says and only
// programs in production rely on is marked "seen"; our own conclusions are
// marked "our reading".
//
// Start reading at Parse, then names.go and sides.go; for the client at CallLog.Rows.
package ringostat
