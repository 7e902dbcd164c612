package bitrix

import (
	"encoding/json"
	"strconv"
	"strings"
)

// Profile asks who the webhook's employee is; every webhook may ask it.
// Decode with DecodeProfile.
// https://apidocs.bitrix24.com/api-reference/common/users/profile.html
func Profile() Command { return Command{Method: "profile"} }

// DecodeProfile reads the result of Profile. ok is false for an employee who
// was dismissed.
func DecodeProfile(raw json.RawMessage) (user User, ok bool, err error) {
	r, err := asRow(raw)
	if err != nil {
		return User{}, false, undecodable("profile", "the result is not an object")
	}
	user = readUser(r)
	user.Active = user.ID > 0
	return user, user.Active, nil
}

// Scope asks for the permissions of this webhook. Decode with DecodeScope.
func Scope() Command { return Command{Method: "scope"} }

// DecodeScope reads the names of the permissions: "crm", "task", "user", ….
func DecodeScope(raw json.RawMessage) ([]string, error) {
	return row{"scope": raw}.texts("scope"), nil
}

// User is an employee. Which contact details are there depends on the
// webhook's permission: user_brief has none.
type User struct {
	ID         int
	Active     bool
	Admin      bool // known from Profile only
	Name       string
	LastName   string
	Email      string
	InnerPhone string // extension
	WorkPhone  string
	Mobile     string
}

// FullName is the name as people read it.
func (u User) FullName() string { return strings.TrimSpace(u.Name + " " + u.LastName) }

// Users asks for employees, fifty a page (start is the offset), by id
// ascending. Decode with DecodeUsers.
// https://apidocs.bitrix24.com/api-reference/user/user-get.html
func Users(activeOnly bool, start int) Command {
	filter := Params{{"USER_TYPE", "employee"}}
	if activeOnly {
		filter = append(filter, Param{"ACTIVE", true})
	}
	return Command{Method: "user.get", Params: Params{
		{"sort", "ID"}, {"order", "ASC"}, {"FILTER", filter}, {"start", start},
	}}
}

// DecodeUsers reads the result of Users.
func DecodeUsers(raw json.RawMessage) ([]User, error) {
	rows, err := asRows(raw)
	if err != nil {
		return nil, undecodable("user.get", "the result is not a list of objects")
	}
	var users []User
	for _, r := range rows {
		if u := readUser(r); u.ID > 0 {
			users = append(users, u)
		}
	}
	return users, nil
}

func readUser(r row) User {
	return User{
		ID: r.num("ID"), Active: r.flag("ACTIVE"), Admin: r.flag("ADMIN"), Name: r.text("NAME"), LastName: r.text("LAST_NAME"),
		Email: r.text("EMAIL"), InnerPhone: r.text("UF_PHONE_INNER"), WorkPhone: r.text("WORK_PHONE"), Mobile: r.text("PERSONAL_MOBILE"),
	}
}

// Status is an entry of a CRM directory: a lead stage, deal stage or source.
type Status struct {
	ID       string // STATUS_ID, as EntityFields.Stage and .Source want it
	Name     string
	Semantic string // "P" in progress, "S" won, "F" lost, as in Item
}

// StatusList asks for a directory: "STATUS" (lead stages), "SOURCE",
// "DEAL_STAGE" or, for another funnel, DealStages. Decode with DecodeStatuses.
// https://apidocs.bitrix24.com/api-reference/crm/status/crm-status-list.html
func StatusList(entityID string) Command {
	return Command{Method: "crm.status.list", Params: Params{
		{"order", Params{{"SORT", "ASC"}}}, {"filter", Params{{"ENTITY_ID", entityID}}},
	}}
}

// DealStages is the directory of a funnel's stages.
func DealStages(category int) string {
	if category == 0 {
		return "DEAL_STAGE"
	}
	return "DEAL_STAGE_" + strconv.Itoa(category)
}

// DecodeStatuses reads the result of StatusList. Directories without stages
// have Semantic "P" everywhere; it means nothing there.
func DecodeStatuses(raw json.RawMessage) ([]Status, error) {
	rows, err := asRows(raw)
	if err != nil {
		return nil, undecodable("crm.status.list", "the result is not a list of objects")
	}
	var out []Status
	for _, r := range rows {
		s := Status{ID: r.text("STATUS_ID"), Name: r.text("NAME"), Semantic: r.text("SEMANTICS")}
		if s.Semantic == "" {
			s.Semantic = "P"
		}
		if s.ID != "" {
			out = append(out, s)
		}
	}
	return out, nil
}

// Category is a funnel; 0 is the id of the general one.
type Category struct {
	ID      int
	Name    string
	Default bool
}

// Categories asks for the deal funnels. Decode with DecodeCategories.
// https://apidocs.bitrix24.com/api-reference/crm/universal/category/crm-category-list.html
func Categories() Command {
	return Command{Method: "crm.category.list", Params: Params{{"entityTypeId", kinds[Deal].typeID}}}
}

// DecodeCategories reads the result of Categories.
func DecodeCategories(raw json.RawMessage) ([]Category, error) {
	result, err := asRow(raw)
	if err != nil {
		return nil, undecodable("crm.category.list", "the result is not an object")
	}
	rows, err := asRows(result["categories"])
	if err != nil {
		return nil, undecodable("crm.category.list", "categories is not a list of objects")
	}
	var out []Category
	for _, r := range rows {
		if id, ok := wholeNumber(r["id"]); ok {
			out = append(out, Category{ID: id, Name: r.text("name"), Default: r.flag("isDefault")})
		}
	}
	return out, nil
}

// Mode asks whether the portal works with leads. Decode with DecodeMode.
// https://apidocs.bitrix24.com/api-reference/crm/crm-settings-mode-get.html
func Mode() Command { return Command{Method: "crm.settings.mode.get"} }

// DecodeMode reports whether the portal has leads.
func DecodeMode(raw json.RawMessage) (leads bool, err error) {
	switch n, _ := wholeNumber(raw); n {
	case 1:
		return true, nil
	case 2:
		return false, nil
	}
	return false, undecodable("crm.settings.mode.get", "the result is neither 1 nor 2")
}

// Field is a field of an entity or a task.
type Field struct {
	Name     string // as crm.item.* and EntityFields.Custom name it
	Title    string
	Type     string
	Required bool
	ReadOnly bool
}

// UserFields asks for the fields a portal added to a kind. Decode with
// DecodeUserFields.
func UserFields(kind Kind) Command {
	return Command{Method: "crm." + kinds[kind].classic + ".userfield.list", Params: Params{{"order", Params{{"SORT", "ASC"}}}}}
}

// DecodeUserFields reads the result of UserFields.
func DecodeUserFields(raw json.RawMessage) ([]Field, error) {
	rows, err := asRows(raw)
	if err != nil {
		return nil, undecodable("userfield.list", "the result is not a list of objects")
	}
	var out []Field
	for _, r := range rows {
		if name := r.text("FIELD_NAME"); name != "" {
			out = append(out, Field{Name: name, Title: r.text("EDIT_FORM_LABEL"), Type: r.text("USER_TYPE_ID"), Required: r.flag("MANDATORY")})
		}
	}
	return out, nil
}

// ItemFields asks for all fields of a kind. Decode with DecodeFields.
func ItemFields(kind Kind) Command {
	return Command{Method: "crm.item.fields", Params: Params{{"entityTypeId", kinds[kind].typeID}, {"useOriginalUfNames", "Y"}}}
}

// DescribeTask asks for all fields of a task. Decode with DecodeFields.
func DescribeTask() Command { return Command{Method: "tasks.task.getFields"} }

// DecodeFields reads the result of ItemFields or DescribeTask, by name.
func DecodeFields(raw json.RawMessage) ([]Field, error) {
	result, err := asRow(raw)
	if err != nil {
		return nil, undecodable("fields", "the result is not an object")
	}
	fields, err := asRow(result["fields"])
	if err != nil {
		return nil, undecodable("fields", "fields is not an object")
	}
	var out []Field
	for _, name := range sortedKeys(fields) {
		r, err := asRow(fields[name])
		if err != nil {
			return nil, undecodable("fields", "a field is not an object")
		}
		out = append(out, Field{Name: name, Title: r.text("title"), Type: r.text("type"),
			Required: r.flag("isRequired") || r.flag("required"), ReadOnly: r.flag("isReadOnly")})
	}
	return out, nil
}

// MethodAvailable asks whether a method exists and the webhook's permissions
// cover it. It does not tell whether the method is closed to webhooks.
// Decode with DecodeMethodAvailable.
// https://apidocs.bitrix24.com/api-reference/common/system/method-get.html
func MethodAvailable(name string) Command {
	return Command{Method: "method.get", Params: Params{{"name", strings.ToLower(name)}}}
}

// DecodeMethodAvailable reads the result of MethodAvailable.
func DecodeMethodAvailable(raw json.RawMessage) (exists, available bool, err error) {
	r, err := asRow(raw)
	if err != nil {
		return false, false, undecodable("method.get", "the result is not an object")
	}
	return r.flag("isExisting"), r.flag("isAvailable"), nil
}
