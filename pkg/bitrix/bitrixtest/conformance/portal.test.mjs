// The vendor's SDK as the judge of the simulated portal: what it can do against a live portal it must
// be able to do here. BITRIXTEST_WEBHOOK is the portal's address; run.sh sets it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { B24Hook } from '@bitrix24/b24jssdk'

const b24 = B24Hook.fromWebhookUrl(process.env.BITRIXTEST_WEBHOOK)
const call = async (method, params = {}) => {
  const answer = await b24.actions.v2.call.make({ method, params })
  assert.ok(answer.isSuccess, `${method}: ${answer.getErrorMessages().join('; ')}`)
  return answer
}
const result = async (method, params) => (await call(method, params)).getData().result
const batch = (calls, options = {}) =>
  b24.actions.v2.batch.make({ calls, options: { isHaltOnError: true, returnAjaxResult: true, ...options } })

test('the webhook knows who it is', async () => {
  const me = await result('profile')
  assert.equal(me.ID, '1')
  assert.equal(me.ADMIN, true)
})

test('only active employees are listed when asked so', async () => {
  const users = await result('user.get', { FILTER: { ACTIVE: true, USER_TYPE: 'employee' } })
  assert.deepEqual(users.map(u => u.ID), ['1', '7'])
  assert.equal(users[1].UF_PHONE_INNER, '101')
})

test('a lead goes through the classic methods', async () => {
  const title = 'Дзвінок з сайту: 50% + "знижка" & <b>'
  const id = await result('crm.lead.add', {
    fields: { TITLE: title, PHONE: [{ VALUE: '+380671112233', VALUE_TYPE: 'WORK' }], ORIGINATOR_ID: 'sdk', ORIGIN_ID: 'call-1' }
  })
  assert.equal(typeof id, 'number')
  const lead = await result('crm.lead.get', { id })
  assert.equal(lead.ID, String(id))
  assert.equal(lead.TITLE, title)
  assert.equal(lead.PHONE[0].VALUE, '+380671112233')
  assert.equal(lead.STATUS_SEMANTIC_ID, 'P')
  assert.equal(await result('crm.lead.update', { id, fields: { STATUS_ID: 'JUNK' } }), true)
  const found = await call('crm.lead.list', { filter: { ORIGIN_ID: 'call-1' }, select: ['ID', 'STATUS_SEMANTIC_ID'] })
  assert.deepEqual(found.getData().result, [{ ID: String(id), STATUS_SEMANTIC_ID: 'F' }])
  assert.equal(found.getTotal(), 1)
  const hits = await result('crm.duplicate.findbycomm', { type: 'PHONE', values: ['380671112233'] })
  assert.deepEqual(hits, { LEAD: [id] })
})

test('a deal goes through the universal methods', async () => {
  const contact = (await result('crm.item.add', { entityTypeId: 3, fields: { name: 'Ivan', lastName: 'Example' } })).item
  const deal = (await result('crm.item.add', {
    entityTypeId: 2, fields: { title: 'Deal', contactIds: [contact.id], originId: 'call-2', utmSource: 'google' }
  })).item
  assert.equal(deal.contactId, contact.id)
  assert.equal(deal.closed, 'N')
  const open = await result('crm.item.list', {
    entityTypeId: 2, filter: { closed: 'N', '@contactId': [contact.id] }, select: ['id', 'utmSource']
  })
  assert.deepEqual(open.items, [{ id: deal.id, utmSource: 'google' }])
})

test('a batch hands results on and reports failures by key', async () => {
  const chain = await batch({
    lead: { method: 'crm.item.add', params: { entityTypeId: 1, fields: { title: 'Chain +380671112233' } } },
    task: { method: 'tasks.task.add', params: { fields: { TITLE: 'Call back', RESPONSIBLE_ID: 7, UF_CRM_TASK: ['L_$result[lead][item][id]'] } } },
    done: { method: 'tasks.task.complete', params: { taskId: '$result[task][task][id]' } }
  })
  assert.ok(chain.isSuccess, chain.getErrorMessages().join('; '))
  const { lead, done } = chain.getData()
  assert.equal(lead.getData().result.item.title, 'Chain +380671112233')
  const task = done.getData().result.task
  assert.equal(task.status, '5')
  const bound = await result('tasks.task.list', {
    filter: { UF_CRM_TASK: `L_${lead.getData().result.item.id}` }, select: ['ID', 'XML_ID', 'STATUS']
  })
  assert.deepEqual(bound.tasks.map(t => t.id), [task.id])

  const mixed = await batch({
    good: { method: 'profile', params: {} },
    // Not crm.lead.get: this SDK takes a refusal with an empty code, as that method's, for a success.
    bad: { method: 'crm.item.get', params: { entityTypeId: 1, id: 999999 } },
    after: { method: 'profile', params: {} }
  }, { isHaltOnError: false })
  assert.equal(mixed.isSuccess, false)
  assert.equal(mixed.getData().good.isSuccess, true)
  assert.equal(mixed.getData().bad.isSuccess, false)
  assert.match(mixed.getData().bad.getErrorMessages().join(), /Element not found/)
  assert.equal(mixed.getData().after.getData().result.ID, '1')
})

test('lists of more than one page are read to the end', async () => {
  const calls = Array.from({ length: 125 }, (_, i) => ({
    method: 'crm.contact.add', params: { fields: { NAME: `Page ${i}`, ORIGINATOR_ID: 'pages' } }
  }))
  const made = await b24.actions.v2.batchByChunk.make({ calls, options: { isHaltOnError: true } })
  assert.ok(made.isSuccess, made.getErrorMessages().join('; '))
  assert.equal(made.getData().length, 125)
  const params = { filter: { ORIGINATOR_ID: 'pages' }, select: ['ID', 'NAME'] }
  const first = await call('crm.contact.list', params)
  assert.equal(first.getTotal(), 125)
  assert.equal(first.getData().result.length, 50)
  assert.ok(first.isMore())
  const all = await b24.actions.v2.callList.make({ method: 'crm.contact.list', params })
  assert.ok(all.isSuccess, all.getErrorMessages().join('; '))
  assert.equal(new Set(all.getData().map(row => row.ID)).size, 125)
  const items = []
  for await (const part of b24.actions.v2.fetchList.make({
    method: 'crm.item.list', params: { entityTypeId: 3, filter: { originatorId: 'pages' }, select: ['id'] }, idKey: 'id', customKeyForResult: 'items'
  })) items.push(...part)
  assert.equal(new Set(items.map(row => row.id)).size, 125)
})

test('errors arrive as the SDK knows them', async () => {
  await assert.rejects(call('crm.nonsense'), { code: 'ERROR_METHOD_NOT_FOUND', status: 404 })
  await assert.rejects(call('app.info'), { code: 'WRONG_AUTH_TYPE', status: 403 })
  await assert.rejects(call('crm.item.list', { entityTypeId: 1, filter: { nonsense: 1 } }), { code: 'INVALID_ARG_VALUE', status: 400 })
  const stranger = B24Hook.fromWebhookUrl(process.env.BITRIXTEST_WEBHOOK.replace('/secret/', '/wrong/'))
  await assert.rejects(stranger.actions.v2.call.make({ method: 'profile', params: {} }), { code: 'INVALID_CREDENTIALS' })
})

test('the SDK stays within the bucket, and a burst past it loses nothing', async () => {
  const started = Date.now()
  const ids = await Promise.all(Array.from({ length: 60 }, (_, i) =>
    result('crm.lead.add', { fields: { TITLE: `Burst ${i}`, ORIGINATOR_ID: 'burst' } })))
  const seconds = (Date.now() - started) / 1000
  assert.equal(new Set(ids).size, 60)
  assert.equal((await call('crm.lead.list', { filter: { ORIGINATOR_ID: 'burst' }, select: ['ID'] })).getTotal(), 60)
  assert.ok(seconds > 4, `60 requests took ${seconds} s: the bucket of 50 leaking 2 a second did not hold them back`)
})

test('a client without patience is refused with 503', async () => {
  const answers = await Promise.all(Array.from({ length: 70 }, () => fetch(process.env.BITRIXTEST_WEBHOOK + 'profile')))
  const refused = answers.filter(a => a.status === 503)
  assert.ok(refused.length >= 15, `${refused.length} of 70 refused`)
  assert.equal((await refused[0].json()).error, 'QUERY_LIMIT_EXCEEDED')
})
