package bitrix_test

import (
	"context"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/ringbridge/ringbridge/pkg/bitrix"
	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
)

// TestWhatIsSentInABatchIsWhatThePortalStores sends texts through the whole wire: the
// query inside the JSON, the portal's own PHP-style parser, and its store.
func TestWhatIsSentInABatchIsWhatThePortalStores(t *testing.T) {
	portal, address := bitrixtest.Start(t, bitrixtest.Options{Plan: bitrixtest.Unlimited})
	at, user, secret, err := bitrix.ParseWebhook(address)
	if err != nil {
		t.Fatal(err)
	}
	client, err := bitrix.New(bitrix.Options{Portal: at, User: user, Secret: secret, AllowInsecure: true})
	if err != nil {
		t.Fatal(err)
	}
	awkward := []string{"+380671112233", "a&b=c", "100%", "%2B", "{}", "{{x}}", "[0]", "#", "a+b", "Олена", "📞", `"'\`, "a;b", "fields[TITLE]=x", "$result", "ї", "a b"}
	text := rapid.Custom(func(t *rapid.T) string {
		s := "<"
		for range rapid.IntRange(0, 4).Draw(t, "parts") {
			s += rapid.OneOf(rapid.SampledFrom(awkward), rapid.StringMatching(`[ -~]{0,8}`).Filter(func(s string) bool { return s != "" })).Draw(t, "part") + "."
		}
		return s + ">"
	})
	made := 0
	rapid.Check(t, func(t *rapid.T) {
		var commands []bitrix.Command
		var want []string
		for i := range rapid.IntRange(1, 12).Draw(t, "commands") {
			s := text.Draw(t, "text")
			want = append(want, s)
			commands = append(commands, bitrix.Command{Method: "crm.lead.add", Params: bitrix.Params{{Name: "fields", Value: bitrix.Params{{Name: "TITLE", Value: s}}}}}.As(fmt.Sprintf("z%d", 99-i)))
		}
		answer, err := client.Batch(context.Background(), commands, false)
		if err != nil {
			t.Fatal(err)
		}
		leads := portal.Leads()[made:]
		made += len(leads)
		if len(leads) != len(want) {
			t.Fatalf("%d leads are stored, want %d; answer %+v", len(leads), len(want), answer)
		}
		for i, lead := range leads {
			if lead.Title != want[i] {
				t.Errorf("%q is stored as %q", want[i], lead.Title)
			}
			if got := string(answer.Outcomes[i].Result); got != fmt.Sprint(lead.ID) {
				t.Errorf("command %d answers %s, want the id %d: commands run in their order", i, got, lead.ID)
			}
		}
	})
}
