package bitrix

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func queryOf(t *testing.T, c Command) string {
	t.Helper()
	q, err := c.Params.Query()
	if err != nil {
		t.Fatalf("%s: %v", c.Method, err)
	}
	return c.Method + "?" + strings.NewReplacer("%40", "@", "%3E", ">", "%3D", "=", "%2B", "+").Replace(q)
}

func TestCommandsAreTheDocumentedOnes(t *testing.T) {
	zero := 0
	for _, test := range []struct {
		command Command
		want    string
	}{
		{FindByPhone(Contact, []string{"+380671112233", "", "0671112233", "0671112233"}),
			"crm.duplicate.findbycomm?type=PHONE&values[0]=+380671112233&values[1]=0671112233&entity_type=CONTACT"},
		{GetItem(Company, 9), "crm.item.get?entityTypeId=4&id=9&useOriginalUfNames=Y"},
		{UpdateItem(Deal, Link{ID: 3}, EntityFields{ResponsibleID: 7, Phone: "+380671112233"}),
			"crm.item.update?entityTypeId=2&id=3&fields[assignedById]=7&fields[fm][0][typeId]=PHONE&fields[fm][0][valueType]=WORK&fields[fm][0][value]=+380671112233&useOriginalUfNames=Y"},
		{UpdateItem(Lead, Link{Ref: Ref("a", "item", "id")}, EntityFields{Stage: "NEW"}),
			"crm.item.update?entityTypeId=1&id=$result[a][item][id]&fields[stageId]=NEW&useOriginalUfNames=Y"},
		{AddItem(Deal, EntityFields{Title: "t", Category: &zero, Contact: Link{Ref: Ref("c", "item", "id")}, Company: Link{ID: 4}, Opened: true,
			UTM: UTM{"google", "cpc", "x", "y", "z"}, OriginatorID: "ringbridge", OriginID: "id-1", Source: "CALL", SourceDescription: "s", Comments: "a\nb",
			Custom: map[string]string{"UF_CRM_B": "2", "UF_CRM_A": "1", "TITLE": "mine", "STATUS_ID": "X", "ADDITIONAL_INFO": "i"}}),
			"crm.item.add?entityTypeId=2&fields[title]=mine&fields[sourceId]=CALL&fields[sourceDescription]=s&fields[categoryId]=0" +
				"&fields[contactId]=$result[c][item][id]&fields[companyId]=4&fields[utmSource]=google&fields[utmMedium]=cpc&fields[utmCampaign]=x" +
				"&fields[utmContent]=y&fields[utmTerm]=z&fields[comments]=a%0Ab&fields[originatorId]=ringbridge&fields[originId]=id-1&fields[opened]=Y" +
				"&fields[additionalInfo]=i&fields[stageId]=X&fields[UF_CRM_A]=1&fields[UF_CRM_B]=2&useOriginalUfNames=Y"},
		{AddItem(Contact, EntityFields{Name: "Олена", Phone: "+380671112233"}),
			"crm.item.add?entityTypeId=3&fields[name]=%D0%9E%D0%BB%D0%B5%D0%BD%D0%B0&fields[fm][0][typeId]=PHONE&fields[fm][0][valueType]=WORK&fields[fm][0][value]=+380671112233&useOriginalUfNames=Y"},
		{AddTask(TaskFields{Title: "t", Description: "[URL=https://x.example]r[/URL]", ResponsibleID: 7, CreatedBy: 1, XMLID: "id-2", Tags: []string{"call"},
			Deadline: time.Date(2026, 3, 7, 10, 20, 30, 0, time.FixedZone("", 2*3600)),
			CRM:      []Binding{{Lead, Link{Ref: Ref("lead", "item", "id")}}, {Deal, Link{ID: 4}}, {Contact, Link{ID: 5}}, {Company, Link{ID: 6}}}}),
			"tasks.task.add?fields[TITLE]=t&fields[DESCRIPTION]=%5BURL=https%3A%2F%2Fx.example%5Dr%5B%2FURL%5D&fields[RESPONSIBLE_ID]=7&fields[CREATED_BY]=1" +
				"&fields[DEADLINE]=2026-03-07T10%3A20%3A30+02%3A00&fields[MATCH_WORK_TIME]=N&fields[UF_CRM_TASK][0]=L_$result[lead][item][id]&fields[UF_CRM_TASK][1]=D_4" +
				"&fields[UF_CRM_TASK][2]=C_5&fields[UF_CRM_TASK][3]=CO_6&fields[XML_ID]=id-2&fields[TAGS][0]=call"},
		{UpdateTask(Link{ID: 8}, TaskFields{ResponsibleID: 2}), "tasks.task.update?taskId=8&fields[RESPONSIBLE_ID]=2"},
		{CompleteTask(Link{Ref: Ref("t", "task", "id")}), "tasks.task.complete?taskId=$result[t][task][id]"},
		{Profile(), "profile?"},
		{Scope(), "scope?"},
		{Users(true, 50), "user.get?sort=ID&order=ASC&FILTER[USER_TYPE]=employee&FILTER[ACTIVE]=1&start=50"},
		{Users(false, 0), "user.get?sort=ID&order=ASC&FILTER[USER_TYPE]=employee&start=0"},
		{StatusList(DealStages(9)), "crm.status.list?order[SORT]=ASC&filter[ENTITY_ID]=DEAL_STAGE_9"},
		{StatusList(DealStages(0)), "crm.status.list?order[SORT]=ASC&filter[ENTITY_ID]=DEAL_STAGE"},
		{Categories(), "crm.category.list?entityTypeId=2"},
		{Mode(), "crm.settings.mode.get?"},
		{UserFields(Lead), "crm.lead.userfield.list?order[SORT]=ASC"},
		{ItemFields(Deal), "crm.item.fields?entityTypeId=2&useOriginalUfNames=Y"},
		{DescribeTask(), "tasks.task.getFields?"},
		{MethodAvailable("telephony.externalCall.register"), "method.get?name=telephony.externalcall.register"},
	} {
		if got := queryOf(t, test.command); got != test.want {
			t.Errorf("got  %s\nwant %s", got, test.want)
		}
	}
}

func TestListsAskForWhatIsOpenOfTheClient(t *testing.T) {
	for _, test := range []struct {
		command Command
		want    string
	}{
		{ListOpenLeads(By{IDs: []int{3, 4}}), "filter[stageSemanticId]=P&filter[@id][0]=3&filter[@id][1]=4&order[id]=DESC"},
		{ListOpenDeals(By{ContactIDs: []int{5}}), "filter[closed]=N&filter[@contactId][0]=5&order[id]=DESC"},
		{ListOpenDeals(By{ContactIDs: []int{5}, CompanyIDs: []int{6}}),
			"filter[closed]=N&filter[0][logic]=OR&filter[0][0][@contactId][0]=5&filter[0][1][@companyId][0]=6&order[id]=DESC"},
		{ListItems(Contact, []int{1}), "filter[@id][0]=1&order[id]=ASC"},
		{FindByOrigin(Lead, "ringbridge", []string{"a", "b"}), "filter[originatorId]=ringbridge&filter[@originId][0]=a&filter[@originId][1]=b&order[id]=ASC&useOriginalUfNames=Y&start=-1"},
	} {
		if got := queryOf(t, test.command); !strings.Contains(got, test.want) {
			t.Errorf("got %s\nwant …%s", got, test.want)
		}
	}
	since := time.Date(2026, 3, 7, 10, 20, 30, 0, time.UTC)
	got := queryOf(t, FindTasksByBinding(Binding{Lead, Link{ID: 4}}, since, 50))
	if want := "tasks.task.list?order[ID]=desc&filter[UF_CRM_TASK]=L_4&filter[>=CREATED_DATE]=2026-03-07T10%3A20%3A30Z&select[0]=ID"; !strings.HasPrefix(got, want) || !strings.HasSuffix(got, "&start=50") {
		t.Errorf("got %s\nwant %s…", got, want)
	}
	if got := queryOf(t, FindTasksByXMLID("id-1", time.Time{}, 0)); !strings.Contains(got, "filter[XML_ID]=id-1&select") {
		t.Errorf("got %s", got)
	}
}

func TestNoMoreThanTwentySpellingsAreAskedFor(t *testing.T) {
	var many []string
	for i := range 30 {
		many = append(many, fmt.Sprintf("+3806711122%02d", i))
	}
	if got := FindByPhone(Lead, many).Params[1].Value.([]string); len(got) != 20 || got[19] != many[19] {
		t.Errorf("got %d spellings, want the first 20", len(got))
	}
}

func TestTitlesLoseWhatPortalsCannotStore(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{"Дзвінок 📞 від  клієнта\r\n№1", "Дзвінок від клієнта №1"},
		{"👨‍👩‍👧 ❤️ родина", "❤ родина"},
		{"a\x00b\u202ec\u2028d\u00a0e", "abc d e"},
		{"bad \xff utf", "bad utf"},
		{strings.Repeat("ї", 300), strings.Repeat("ї", 250)},
		{" \t ", ""},
	} {
		if got := line(test.in, 250); got != test.want {
			t.Errorf("%q: got %q, want %q", test.in, got, test.want)
		}
	}
	if got := prose("рядок 1\r\n\tрядок 2 📞\x07 \u202e\n"); got != "рядок 1\n\tрядок 2" {
		t.Errorf("prose: got %q", got)
	}
}
