package pages

import (
	"math"
	"net/url"
	"strings"
	"time"

	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/service"
)

var healthPages = []page{{"GET /console/p/{project}/health", service.Viewer, (*visit).health}}

// status is what the API tells of a project.
type status struct {
	Waiting  int `json:"waiting"`
	InFlight int `json:"in_flight"`
	InDoubt  int `json:"in_doubt"`
	Parked   int `json:"parked"`
	Revision int `json:"revision"`
	Portal   struct {
		State     string       `json:"state"`
		Reason    string       `json:"reason"`
		ReasonIn  event.Texts  `json:"reason_in"`
		Since     time.Time    `json:"since"`
		RetryAt   time.Time    `json:"retry_at"`
		Requests  int          `json:"requests"`
		PerSecond float64      `json:"per_second"`
		Burst     int          `json:"burst"`
		Level     float64      `json:"level"`
		Limit     float64      `json:"limit"`
		Yielded   float64      `json:"yielded"`
		Methods   []methodUsed `json:"methods"`
	} `json:"portal"`
	Reconciliation *struct {
		LastComplete time.Time   `json:"last_complete"`
		Error        string      `json:"error"`
		ErrorIn      event.Texts `json:"error_in"`
		Warning      string      `json:"warning"`
		WarningIn    event.Texts `json:"warning_in"`
	} `json:"reconciliation"`
	Services []struct {
		Name      string    `json:"name"`
		Unread    int       `json:"unread"`
		Unsettled int       `json:"unsettled"`
		Host      string    `json:"host"`
		Since     time.Time `json:"since"`
	} `json:"services"`
	Doubtful []struct {
		Command string `json:"command_id"`
		Call    string `json:"call_id"`
		Role    string `json:"role"`
		Kind    string `json:"kind"`
		Phone   string `json:"phone"`
	} `json:"doubtful"`
}

type methodUsed struct {
	Method       string    `json:"method"`
	Used         float64   `json:"used_s"`
	Limit        float64   `json:"limit_s"`
	ResetAt      time.Time `json:"reset_at"`
	BlockedUntil time.Time `json:"blocked_until"`
}

// Share is how much of the allowance is used, 0 to 1.
func (m methodUsed) Share() float64 { return fillOf(m.Used, m.Limit) }

type program struct {
	Version   string    `json:"version"`
	StartedAt time.Time `json:"started_at"`
	Trouble   string    `json:"trouble"`
	Disk      *struct {
		Used    float64 `json:"used"`
		Limit   float64 `json:"limit"`
		Free    float64 `json:"free"`
		Reserve float64 `json:"reserve"`
		Trouble string  `json:"trouble"`
	} `json:"disk"`
}

type viewState struct {
	View  string `json:"view"`
	State string `json:"state"`
	Seq   int    `json:"seq"`
	Of    int    `json:"of"`
	Error string `json:"error"`
}

type healthData struct {
	status
	Program program
	Views   []viewState
	Up      time.Duration
	Now     time.Time
}

// health tells how the project and the process are doing, as of now.
func (v *visit) health() {
	d := healthData{Now: v.Local(v.site.Now())}
	var views struct {
		Items []viewState `json:"items"`
	}
	err := v.get(v.path("status"), nil, &d.status)
	if err == nil {
		err = v.get("/program", nil, &d.Program)
	}
	if err == nil {
		err = v.get("/views", nil, &views)
	}
	if err != nil {
		v.failed(err)
		return
	}
	d.Views, d.Up = views.Items, v.site.Now().Sub(d.Program.StartedAt)
	v.show("health", d)
}

// PortalChip is how the portal's state looks.
func (d healthData) PortalChip() string {
	return map[string]string{"ok": "good", "slow": "warn", "refused": "bad", "down": "bad"}[d.Portal.State]
}

// Spread tells that services run on machines worth naming.
func (d healthData) Spread() bool {
	for _, s := range d.Services {
		if s.Host != "" {
			return true
		}
	}
	return false
}

// PaceShare is how full the portal's counter is thought to be, 0 to 1.
func (d healthData) PaceShare() float64 { return fillOf(d.Portal.Level, d.Portal.Limit) }

// DiskShare is how much of what may be stored is stored.
func (d healthData) DiskShare() float64 { return fillOf(d.Program.Disk.Used, d.Program.Disk.Limit) }

// Tight tells that little is left.
func (d healthData) Tight() bool {
	disk := d.Program.Disk
	return disk.Trouble == "" && (d.DiskShare() > 0.9 || disk.Free < 2*disk.Reserve)
}

// Doubts is where the calls with something in doubt are listed.
func (v *visit) Doubts() string {
	return address("/console/p/"+v.Project.ID+"/calls", url.Values{"state": {"in_doubt"}})
}

// ServiceName is a service's name as people say it, without the project in it.
func (v *visit) ServiceName(name string) string {
	short := strings.TrimSuffix(name, "-"+v.Project.ID)
	return v.Known("service."+short, short)
}

func fillOf(part, whole float64) float64 {
	if whole <= 0 {
		return 0
	}
	return min(1, max(0, part/whole))
}

// Width is a share as a length of 100.
func (words) Width(share float64) int { return int(math.Round(share * 100)) }

// Whole is a number without its fraction.
func (w words) Whole(f float64) string { return w.Number(int(math.Round(f))) }

// Decimal is a number with one place, none where that is 0.
func (w words) Decimal(f float64) string {
	tenths := int(math.Round(f * 10))
	if tenths%10 == 0 {
		return w.Number(tenths / 10)
	}
	point := ","
	if w.Lang == "en" {
		point = "."
	}
	return w.Number(tenths/10) + point + string(rune('0'+tenths%10))
}

// Bytes writes an amount of storage: 1,5 ГБ.
func (w words) Bytes(n float64) string {
	for _, unit := range []string{"tb", "gb", "mb"} {
		size := map[string]float64{"tb": 1 << 40, "gb": 1 << 30, "mb": 1 << 20}[unit]
		if n >= size {
			return w.Decimal(n/size) + "\u00a0" + w.T("unit."+unit)
		}
	}
	return w.Decimal(n/1024) + "\u00a0" + w.T("unit.kb")
}
