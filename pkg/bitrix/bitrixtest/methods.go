package bitrixtest

import "strings"

// method is one REST method: the scope it needs ("" is "basic", which every webhook has), whether
// only applications may call it, and whether that depends on Options.TelephonyForWebhooks.
type method struct {
	name      string
	scope     string
	run       func(*call) (answer, *refusal)
	appOnly   bool
	telephony bool
}

// methodTable is everything the portal answers but batch; any other name is ERROR_METHOD_NOT_FOUND.
func methodTable() map[string]method {
	refused := func(*call) (answer, *refusal) { return answer{}, nil }
	all := []method{
		{name: "profile", run: profile},
		{name: "scope", run: scopeList},
		{name: "methods", run: methodsList},
		{name: "method.get", run: methodGet},
		{name: "server.time", run: serverTime},
		{name: "app.info", run: refused, appOnly: true},
		{name: "event.bind", run: refused, appOnly: true},
		{name: "placement.bind", run: refused, appOnly: true},

		{name: "user.get", scope: "user", run: userGet},
		{name: "user.search", scope: "user", run: userGet},
		{name: "user.current", scope: "user", run: userCurrent},
		{name: "department.get", scope: "department", run: departmentGet},

		{name: "crm.duplicate.findbycomm", scope: "crm", run: findByComm},
		{name: "crm.status.list", scope: "crm", run: statusList},
		{name: "crm.category.list", scope: "crm", run: categoryList},
		{name: "crm.settings.mode.get", scope: "crm", run: modeGet},
		{name: "crm.timeline.comment.add", scope: "crm", run: commentAdd},
		{name: "crm.activity.add", scope: "crm", run: activityAdd},
		{name: "crm.activity.list", scope: "crm", run: activityList},
		{name: "crm.tracking.trace.add", scope: "crm", run: traceAdd},

		{name: "crm.item.add", scope: "crm", run: itemCall(itemAdd)},
		{name: "crm.item.get", scope: "crm", run: itemCall(itemGet)},
		{name: "crm.item.list", scope: "crm", run: itemCall(itemList)},
		{name: "crm.item.update", scope: "crm", run: itemCall(itemUpdate)},
		{name: "crm.item.delete", scope: "crm", run: itemCall(itemDelete)},
		{name: "crm.item.fields", scope: "crm", run: itemCall(itemFieldsOf)},

		{name: "tasks.task.add", scope: "task", run: taskAdd},
		{name: "tasks.task.get", scope: "task", run: taskGet},
		{name: "tasks.task.list", scope: "task", run: taskList},
		{name: "tasks.task.update", scope: "task", run: taskUpdate},
		{name: "tasks.task.complete", scope: "task", run: taskComplete},
		{name: "tasks.task.getfields", scope: "task", run: taskFields},

		{name: "telephony.externalcall.register", scope: "telephony", run: callRegister, telephony: true},
		{name: "telephony.externalcall.finish", scope: "telephony", run: callFinish, telephony: true},
		{name: "telephony.externalcall.attachrecord", scope: "telephony", run: callAttach},
		{name: "telephony.externalcall.searchcrmentities", scope: "telephony", run: searchEntities},
		{name: "voximplant.statistic.get", scope: "telephony", run: callStatistic},
	}
	for _, k := range []Kind{Lead, Deal, Contact, Company} {
		crm := "crm." + k.String() + "."
		for name, run := range map[string]func(*call, Kind) (answer, *refusal){
			"add": classicAdd, "get": classicGet, "list": classicList, "update": classicUpdate,
			"delete": classicDelete, "fields": classicFields,
			"userfield.list": userFieldList, "userfield.add": userFieldAdd,
		} {
			all = append(all, method{name: crm + name, scope: "crm", run: on(k, run)})
		}
	}
	for _, k := range []Kind{Lead, Deal} {
		contact := "crm." + k.String() + ".contact."
		for name, run := range map[string]func(*call, Kind) (answer, *refusal){
			"add": contactAdd, "items.get": contactItemsGet, "items.set": contactItemsSet,
		} {
			all = append(all, method{name: contact + name, scope: "crm", run: on(k, run)})
		}
	}
	table := map[string]method{}
	for _, m := range all {
		table[strings.ToLower(m.name)] = m
	}
	return table
}
