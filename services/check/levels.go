package check

// levels is every finding there is, in the order of the report, with how much it
// matters. Scripts rely on the words.
var levels = map[string]Level{
	// Is the address right, and does the portal let the webhook in? One of these.
	"address":              OK,
	"address.name":         Blocks,
	"address.unreachable":  Blocks,
	"address.timeout":      Blocks,
	"address.tls":          Blocks,
	"address.https":        Blocks,
	"address.forbidden":    Blocks,
	"address.elsewhere":    Blocks,
	"address.not_bitrix24": Blocks,
	"address.refused":      Blocks,
	"credentials":          Blocks,
	"plan":                 Blocks,
	"portal.gone":          Blocks,
	"portal.busy":          Blocks,
	"portal.overload":      Blocks,
	"portal.fault":         Blocks,
	"stopped":              Blocks,
	"address.moved":        Advice,

	// Who is the webhook, and what may it do?
	"owner":           OK,
	"owner.inactive":  Blocks,
	"admin":           OK,
	"admin.missing":   Advice,
	"scopes":          OK,
	"scope.crm":       Blocks,
	"scope.task":      Blocks,
	"scope.user":      Advice,
	"scope.telephony": Advice,

	// Leads or no leads?
	"mode":               OK,
	"mode.without_leads": OK,
	"mode.contradiction": Advice,
	"mode.deal_alone":    Advice,

	// Who gets the tasks?
	"senior":            OK,
	"senior.unknown":    Blocks,
	"senior.inactive":   Blocks,
	"employees":         OK,
	"employee.none":     Advice,
	"employee.unknown":  Advice,
	"employee.inactive": Advice,
	"employee.no_line":  Advice,
	"employee.shared":   OK,
	"missed.nobody":     Advice,

	// Where do new leads and deals go?
	"category.unknown": Blocks,
	"category.unused":  Advice,
	"stage":            OK,
	"stage.unknown":    Blocks,
	"stage.closed":     Blocks,
	"stage.deal":       Advice,
	"source":           OK,
	"source.unknown":   Blocks,

	// What is filled, and what does the portal insist on?
	"fields":              OK,
	"fields.unused":       OK,
	"field.unknown":       Blocks,
	"field.read_only":     Blocks,
	"field.multiple":      Blocks,
	"field.type":          Blocks,
	"field.unsure":        Advice,
	"field.parameter":     Advice,
	"mandatory":           OK,
	"mandatory.field":     Blocks,
	"mandatory.sometimes": Advice,
	"mandatory.task":      Blocks,

	// What else?
	"calls":               OK,
	"calls.refused":       Advice,
	"task_search":         OK,
	"task_search.ignored": OK,
	"pace":                OK,
	"pace.high":           Advice,
	"unread":              Blocks,
	"unread.optional":     Advice,
}

// text is a finding in one language, with the values it mentions as {names}.
type text struct{ title, detail, remedy string }

type language struct {
	findings map[string]text
	words    map[string]string
}

var languages = map[string]language{"en": english, "ru": russian, "uk": ukrainian}
