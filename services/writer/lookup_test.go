package writer

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
	"github.com/ringbridge/ringbridge/pkg/crm"
	"github.com/ringbridge/ringbridge/pkg/event"
)

// TestClientsAskedForTogetherAreToldApart looks up many numbers at once, of which some
// are known in each of the ways, and compares with looking each up alone.
func TestClientsAskedForTogetherAreToldApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const clients = 240
		y, ctx := openYard(t, bitrixtest.Options{CommandTime: func(string) time.Duration { return 20 * time.Millisecond }})
		for n := range clients {
			phone := spellings(number(n))[n%5]
			switch n % 12 {
			case 1:
				y.portal.AddContact(bitrixtest.Entity{Name: "Olena", Phones: []string{phone}, ResponsibleID: 1})
			case 3:
				y.portal.AddLead(bitrixtest.Entity{Title: "Chairs", Phones: []string{phone}, ResponsibleID: 1})
			case 5:
				contact := y.portal.AddContact(bitrixtest.Entity{Name: "Petro", Phones: []string{phone, number(n + 1)}, ResponsibleID: 1})
				y.portal.AddDeal(bitrixtest.Entity{Title: "Tables", ContactID: contact, ResponsibleID: 1})
			case 8:
				y.portal.AddCompany(bitrixtest.Entity{Title: "Sofas Ltd", Phones: []string{phone}, ResponsibleID: 1})
			}
		}
		for range 30 { // more than one answer shows
			y.portal.AddLead(bitrixtest.Entity{Title: "Again", Phones: []string{number(7)}, ResponsibleID: 1})
		}
		look := func(n int) string {
			found, err := y.desk.lookup(ctx, crm.Lookup{Spellings: spellings(number(n)), Since: time.Now()})
			if err != nil || found.Refused != "" || len(found.People) == 0 {
				t.Errorf("client %d: %v, refused %q, %d people", n, err, found.Refused, len(found.People))
			}
			return sorted(found)
		}
		together := make([]string, clients)
		y.portal.ForgetRequests()
		var all sync.WaitGroup
		for n := range clients {
			all.Go(func() { together[n] = look(n) })
		}
		all.Wait()
		requests := len(y.portal.Requests())
		known := 0
		for n := range clients {
			time.Sleep(time.Second)
			alone := look(n)
			if together[n] != alone {
				t.Errorf("client %d: together %s, alone %s", n, together[n], alone)
			}
			if alone != sorted(crm.Found{}) {
				known++
			}
		}
		if known < clients/3 {
			t.Errorf("only %d of %d clients are known: little was proved", known, clients)
		}
		// Twenty or twenty-one, by the order in which they came.
		if most := clients / 10; requests > most {
			t.Errorf("%d clients took %d requests, want at most %d", clients, requests, most)
		}
	})
}

func sorted(f crm.Found) string {
	ids := func(items []crm.Item) (out []string) {
		for _, i := range items {
			out = append(out, fmt.Sprint(i.Kind, i.ID))
		}
		slices.Sort(out)
		return out
	}
	return fmt.Sprint("open ", ids(f.Open), " contacts ", ids(f.Contacts), " companies ", ids(f.Companies))
}

// TestAClientWithNothingButADealThatWasJustMadeIsLookedUp: nothing asks for leads then, and
// an empty question is an error.
func TestAClientWithNothingButADealThatWasJustMadeIsLookedUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y, ctx := openYard(t, bitrixtest.Options{})
		deal := y.portal.AddDeal(bitrixtest.Entity{Title: "Tables", ResponsibleID: 1})
		y.desk.memory.add(number(1), event.Ref{Kind: "deal", ID: deal}, time.Now())
		found, err := y.desk.lookup(ctx, crm.Lookup{Spellings: spellings(number(1)), Since: time.Now()})
		if err != nil || found.Refused != "" || len(found.Open) != 1 || found.Open[0].ID != deal {
			t.Errorf("found %+v, %v; want the deal", found, err)
		}
	})
}
