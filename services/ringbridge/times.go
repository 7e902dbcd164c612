package main

import (
	"net/http"
	"time"
)

// Times are written so that none stands without its offset.
const (
	stamp     = time.RFC3339
	fineStamp = "2006-01-02T15:04:05.000Z07:00"
)

// zone is a project's own time zone, in which people read its calls. Where it can't be
// told times are UTC's.
func (r *remote) zone(project string) *time.Location {
	var list struct {
		Items []struct {
			ID       string
			TimeZone string `json:"time_zone"`
		}
	}
	if _, err := r.ask(http.MethodGet, "/api/v1/projects", nil, &list); err != nil {
		return time.UTC
	}
	for _, p := range list.Items {
		if zone, err := time.LoadLocation(p.TimeZone); p.ID == project && err == nil {
			return zone
		}
	}
	return time.UTC
}

// inZone is a time of the API's in a project's zone; a call that has not said when it
// began has none.
func inZone(started string, zone *time.Location) string {
	at, err := time.Parse(time.RFC3339, started)
	if err != nil {
		return started
	}
	return at.In(zone).Format(stamp)
}
