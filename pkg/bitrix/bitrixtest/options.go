package bitrixtest

import "time"

// Plan is the tariff of the portal; it decides the leaky bucket
// (https://apidocs.bitrix24.com/limits.html).
type Plan int

const (
	// Standard leaks 2 requests a second and refuses when more than 50 are in the bucket.
	Standard Plan = iota
	// Enterprise leaks 5 a second and refuses above 250.
	Enterprise
	// Unlimited has no bucket, as a self-hosted portal.
	Unlimited
)

// bucket returns the leak per second and the number of requests the bucket holds.
func (p Plan) bucket() (leak, size float64) {
	if p == Enterprise {
		return 5, 250
	}
	return 2, 50
}

// Options describe a portal. The zero value is a cloud portal on the standard plan with leads on,
// an administrator's webhook and every scope this program asks for.
type Options struct {
	// Secret of the webhook, "secret" by default.
	Secret string
	// Owner is the user the webhook acts for, 1 by default. User 1 exists and is an administrator;
	// any other owner is created as an ordinary employee who sees only what he may.
	Owner int
	// Plan decides how many requests a second the portal takes.
	Plan Plan
	// Scopes of the webhook; by default crm, task, user, telephony, department.
	Scopes []string
	// Now is the portal's clock, time.Now by default. It drives the bucket, the operating
	// counters, the dates of everything and all delays but Stall.
	Now func() time.Time
	// Location is the zone of the dates the portal prints, and of dates it is sent without one.
	// UTC by default.
	Location *time.Location
	// Sleep, when set, is called with the simulated time of each command before it runs, outside
	// of all locks. Nil: the time is only accounted.
	Sleep func(time.Duration)
	// CommandTime is the simulated execution time of one command. Nil: none. Times of 0.1 s and
	// less are not accounted, as on a live portal.
	CommandTime func(method string) time.Duration
	// OperatingLimit is the execution time one method may use in ten minutes. 480 s by default
	// (the documentation's example), none with OnPremise.
	OperatingLimit time.Duration
	// RequestLimit cuts a request, with all the commands in its batch, that takes longer: the
	// commands that had begun stay executed, the answer is an HTML page with status 504.
	// 60 s by default, none with OnPremise.
	RequestLimit time.Duration
	// Seed of everything that is drawn by lot (Fault.Chance).
	Seed uint64

	// BillBatchWhole accounts the time of a batch to the method "batch" and shows 0 for the
	// commands in it, as measured on self-hosted portals by the authors of the vendor's JavaScript
	// SDK. By default each command is accounted to its own method, as documented.
	BillBatchWhole bool
	// OnPremise leaves the operating keys out of the time block and lifts all limits of time.
	OnPremise bool
	// HTTPSOnly refuses plain requests with INVALID_REQUEST "Https required".
	HTTPSOnly bool
	// CredentialsStatus is the HTTP status of INVALID_CREDENTIALS: the documentation has both 403
	// (the default) and 401.
	CredentialsStatus int
	// WithoutLeads makes it a portal in simple CRM mode: crm.settings.mode.get says 2, and a lead
	// with a NAME is converted into a contact with a deal.
	WithoutLeads bool
	// ConversionDelay is how long that conversion waits. By default it is done within the call.
	ConversionDelay time.Duration
	// ReadLag hides new rows from lists and from crm.duplicate.findbycomm for that long. Reading by
	// id sees them at once. Nothing is promised about this by the documentation; 0 is the usual case.
	ReadLag time.Duration
	// XMLIDFilterIgnored makes tasks.task.list ignore a filter by XML_ID, which is not documented,
	// and return what the rest of the filter finds. By default it filters.
	XMLIDFilterIgnored bool
	// BornClosedRefused makes tasks.task.add refuse STATUS 5 with "Incorrect status". By default the
	// status is stored, with CLOSED_BY and CLOSED_DATE left empty unless they were sent.
	BornClosedRefused bool
	// CompleteTwiceRefused answers tasks.task.complete of a completed task with error "0" "Action on
	// the task is not allowed". By default it succeeds and changes nothing.
	CompleteTwiceRefused bool
	// TelephonyForWebhooks lets the webhook register and finish calls. By default they are refused
	// with WRONG_AUTH_TYPE, as documented; older portals are known to allow them.
	TelephonyForWebhooks bool
	// ContactIDsFilter lets crm.item.list filter by contactIds. By default it is refused as an
	// unknown field: it is documented only for some types.
	ContactIDsFilter bool
	// UnknownFilterRefused makes the classic lists refuse an unknown filter field. By default they
	// ignore it, so the whole table comes back.
	UnknownFilterRefused bool
	// ContactNameRequired refuses contacts with neither NAME nor LAST_NAME.
	ContactNameRequired bool
	// FindByCommTextCodes puts the text of a refused crm.duplicate.findbycomm in "error", as in the
	// documentation. By default "error" is empty and the text is the description, as in the product.
	FindByCommTextCodes bool
	// Language of the texts a portal translates: "en" (default), "ru" or "uk".
	Language string
}

func (o Options) withDefaults() Options {
	if o.Secret == "" {
		o.Secret = "secret"
	}
	if o.Owner == 0 {
		o.Owner = 1
	}
	if o.Scopes == nil {
		o.Scopes = []string{"crm", "task", "user", "telephony", "department"}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Location == nil {
		o.Location = time.UTC
	}
	if o.OperatingLimit == 0 {
		o.OperatingLimit = 480 * time.Second
	}
	if o.RequestLimit == 0 {
		o.RequestLimit = 60 * time.Second
	}
	if o.CredentialsStatus == 0 {
		o.CredentialsStatus = 403
	}
	if o.CommandTime == nil {
		o.CommandTime = func(string) time.Duration { return 0 }
	}
	return o
}
