package demo

import (
	"time"

	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
)

// person is an employee of the demo's company, in Ringostat and in the portal.
type person struct {
	user            int // in the portal
	name, last      string
	code, extension string
	sip, number     string
}

func (p *person) full() string { return p.name + " " + p.last }

// The staff. The senior manager takes no calls but owns the webhook; Hanna has left the
// company and still stands on a lead.
const (
	senior = 1
	hanna  = 10

	googleField = "UF_CRM_GOOGLE_CID"
)

var (
	olena = &person{7, "Олена", "Коваль", "101", "101", "demo_olena", "380501110101"}
	petro = &person{8, "Петро", "Бондар", "102", "102", "demo_petro", "380501110102"}
	iryna = &person{9, "Ірина", "Гнатюк", "103", "103", "demo_iryna", "380501110103"}

	staff = []*person{olena, petro, iryna}
)

// Lines of the company: the number on the website, and a telephone that nobody told
// the settings about.
const (
	siteLine    = "380441232323"
	unknownLine = "380441239900"
)

// Clients that the portal knows from the beginning, by what it knows of them. All
// numbers are invented.
const (
	contactOfOlena    = "380671112201"
	contactOfPetro    = "380671112202"
	contactOfIryna    = "380671112203"
	contactInTheDark  = "380671112204" // nobody makes a lead of this one in the tour
	leadOfPetro       = "380671112205"
	leadOfHanna       = "380671112206"
	dealOfOlena       = "380671112207"
	lostLead          = "380671112208"
	companyOfIryna    = "380671112209"
	clientOfManyCalls = "380671112233"
)

// furnish puts people, clients and their history in the portal.
func furnish(p *bitrixtest.Portal, now time.Time) {
	ago := func(days int) time.Time { return now.AddDate(0, 0, -days) }
	p.AddUser(bitrixtest.User{ID: senior, Name: "Галина", LastName: "Савчук", Email: "head@example.com", Active: true, Admin: true})
	for _, s := range staff {
		p.AddUser(bitrixtest.User{ID: s.user, Name: s.name, LastName: s.last, Email: s.sip + "@example.com", Active: true, InnerPhone: s.extension, Mobile: "+" + s.number})
	}
	p.AddUser(bitrixtest.User{ID: hanna, Name: "Ганна", LastName: "Лисенко", Email: "hanna@example.com"})
	p.AddUserField("lead", bitrixtest.UserField{Name: googleField, Label: "Google Client ID"})

	contact := func(name, last, phone string, responsible int) int {
		return p.AddContact(bitrixtest.Entity{Name: name, LastName: last, Phones: []string{"+" + phone}, ResponsibleID: responsible, Created: ago(90), LastActivity: ago(30)})
	}
	contact("Марія", "Савченко", contactOfOlena, olena.user)
	contact("Іван", "Ткаченко", contactOfPetro, petro.user)
	contact("Софія", "Кравчук", contactOfIryna, iryna.user)
	andrii := contact("Андрій", "Мельник", contactInTheDark, petro.user)
	dmytro := contact("Дмитро", "Поліщук", dealOfOlena, olena.user)
	company := p.AddCompany(bitrixtest.Entity{Title: "ТОВ «Вітрило»", Phones: []string{"+" + companyOfIryna}, ResponsibleID: iryna.user, Created: ago(200), LastActivity: ago(60)})

	p.AddLead(bitrixtest.Entity{Title: "Заявка з сайту: кухня", Name: "Наталія", LastName: "Бойко", Phones: []string{"+" + leadOfPetro},
		ResponsibleID: petro.user, StageID: "IN_PROCESS", SourceID: "WEB", Created: ago(4), LastActivity: ago(1)})
	p.AddLead(bitrixtest.Entity{Title: "Дзвінок минулого місяця", Name: "Олег", LastName: "Руденко", Phones: []string{"067 111-22-06"},
		ResponsibleID: hanna, StageID: "NEW", SourceID: "CALL", Created: ago(35), LastActivity: ago(35)})
	p.AddLead(bitrixtest.Entity{Title: "Помилились номером", Phones: []string{"+" + lostLead}, ResponsibleID: petro.user, StageID: "JUNK", Created: ago(50), LastActivity: ago(50)})
	p.AddDeal(bitrixtest.Entity{Title: "Шафа-купе, 3 двері", ContactID: dmytro, ResponsibleID: olena.user, StageID: "PREPARATION", Created: ago(12), LastActivity: ago(2)})
	p.AddDeal(bitrixtest.Entity{Title: "Стіл і стільці", ContactID: andrii, CompanyID: company, ResponsibleID: petro.user, StageID: "WON", Created: ago(80), LastActivity: ago(30)})
}
