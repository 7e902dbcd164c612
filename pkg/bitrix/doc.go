// Package bitrix talks to the REST interface of one Bitrix24 portal over an
// incoming webhook: typed commands, batches, errors that say whether the
// portal may have acted, and the pace the portal allows.
//
// It must never repeat a request by itself (the one exception is a portal that
// answers "moved", which has not executed anything), never wait, never start a
// goroutine, and never let the webhook's secret reach an error, a log or a
// trace. It decides nothing about calls and clients.
//
// Start reading at Client.Batch, then Class and Classify: what a caller may do
// after an error depends on them and on nothing else. Commands are built by
// the functions in item.go, task.go and portal.go; each names its decoder.
//
// Facts about the portal come from the vendor's documentation,
// https://apidocs.bitrix24.com (general principles, limits, batch, error codes
// and the page of each method).
package bitrix
