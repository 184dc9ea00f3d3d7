package plugintest

import (
	"slices"

	"github.com/superpayhub/superpay/sdk"
)

// rules is the exam, from what a plugin is to what must never leave it. What is plain
// comes before what is subtle, so that the first rule which a plugin breaks names the cause.
var rules = slices.Concat(descriptions, processRules, courses, repeats, unknowns, refusals, reads, inbound, others)

// descriptions are what a plugin says of itself, and which settings it takes.
var descriptions = []rule{
	{
		name: "describe_constant", plugin: describeConstant,
		advice: "Describe returns the same at every call and in every process: fill it from tables, not from settings, a clock or a map's order.",
	},
	{
		name: "describe_well_formed", plugin: describeWellFormed,
		advice: "Describe is what apps and the console read: names in snake_case, each once, and nothing that contradicts itself.",
	},
	{
		name: "describe_capabilities", plugin: describeCapabilities,
		advice: "A flow lists a capability if and only if the plugin implements its method: Confirmer, Capturer, Canceler, Refunder.",
	},
	{
		name: "exam_complete", plugin: examComplete,
		advice: "Give every flow of Describe a success and a decline in exam.json; what is not examined is not known to work.",
	},

	{
		name: "settings_required", plugin: settingsRequired,
		advice: "Configure returns &sdk.SettingsError{Field: ...} when a required setting is missing or empty: a provider without its secret must not start.",
	},
	{
		name: "settings_wrong", plugin: settingsWrong,
		advice: "Configure checks the form of every setting and returns &sdk.SettingsError with the field's name and why, never with its value. List wrong values in exam.json's wrong_settings.",
	},
	{
		name: "settings_offline", plugin: settingsOffline,
		advice: "Configure asks nothing of the provider: a hub must start while a provider is down. Fetch tokens with the first call.",
	},
	{
		name: "live_key", plugin: liveIsLive,
		advice: "Account.Mode says whether the settings are of a live or of a test account: read it from the key, or ask for it in a setting. Put the settings of a live account into exam.json's live_settings.",
	},
}

// courses are the ways in which a payment goes.
var courses = []rule{
	{
		name: "pays", flow: pays,
		advice: "A paid payment reads as succeeded in the account's mode, with the amount that was asked and the complete list of its captures, each with the provider's own id.",
	},
	{
		name: "declines", flow: declines,
		advice: "A decline is data: return the Payment with its Failure (one of sdk's codes) and a nil error. Errors are for calls that went wrong.",
	},
	{
		name: "acts", flow: acts, applies: hasAction,
		advice: "Where the payer must do more, the payment is requires_action with a NextAction, until they did it.",
	},
	{
		name: "open_is_not_paid", flow: openIsNotPaid, applies: payerActs,
		advice: "Until the payer did their part a payment is requires_action, with no captures and nothing authorised, whatever the provider calls it.",
	},
	{
		name: "pending_is_not_paid", flow: pendingIsNotPaid, applies: hasPending,
		advice: "While the provider waits for the money (a bank transfer, a review) a payment is pending, and no capture has succeeded. What comes of it is a later event's.",
	},
	{
		name: "expired_is_not_paid", flow: expiredIsNotPaid, applies: hasExpired,
		advice: "A payment whose time is over is canceled, or failed, and never pending or succeeded.",
	},
	{
		name: "other_money", flow: otherMoney, applies: hasOtherMoney,
		advice: "A payer may pay another amount or currency than was asked for: a capture's Amount is what was paid, in the provider's own words. The hub compares.",
	},
	{
		name: "payer_return", flow: payerReturn, applies: can(sdk.TakesReturn),
		advice: "What a payer's browser brings back can be made up: check its signature, or ask the provider with it, for this very payment. One that proves nothing leaves the payment as it is (requires_action).",
	},

	{
		name: "capture_manual", flow: captureManual, applies: can(sdk.CanCapture),
		advice: "With capture mode manual the money is only held (requires_capture, Authorized, Capturable) until Capture takes it; the rest is released and is no refund.",
	},
	{
		name: "cancel_open", flow: cancelOpen, applies: can(sdk.CanCancel),
		advice: "Cancel closes a payment that nobody paid, or releases one that is held; afterwards it cannot be paid.",
	},
	{
		name: "cancel_too_late", flow: cancelTooLate, applies: can(sdk.CanCancel),
		advice: "Cancel of a payment that succeeded returns the payment as it is and a nil error, and gives nothing back: read it when the provider refuses.",
	},
	{
		name: "expiry", flow: expiry, applies: createsItself,
		advice: "Hand ExpiresAt to the provider and report what it made of it in Payment.ExpiresAt, or say in the flow's ExpiresAfter that the provider has a time of its own; what it would not take is sdk.Rejected before anything is sent.",
	},

	{
		name: "optional_fields", flow: optionalFields, applies: createsItself,
		advice: "Description, Customer and Metadata may be empty, and long: the hub takes 500 bytes of a description, and 40 keys of metadata with 500 bytes each. Fill in what the provider demands, cut what it has no room for, and keep HubMetadata before the app's.",
	},
	{
		name: "refunds", flow: refunds, applies: can(sdk.CanRefund),
		advice: "Refund gives back what is asked and answers with the refund: the provider's id, our RefundID from its metadata, the amount. GetRefund reads it.",
	},
	{
		name: "balance_lines", flow: balanceLines,
		advice: "Lines are what the merchant's balance shows of a capture or refund: each with an id, all in one currency, what comes in positive and what goes out negative. Leave them out where the provider does not tell.",
	},
	{
		name: "read_is_fresh", flow: readIsFresh,
		advice: "GetPayment asks the provider each time and tells what it answers, also while that is behind an event: no cache, and nothing that an event or an earlier call said.",
	},
	{
		name: "refund_parts", flow: refundParts, applies: can(sdk.CanRefundPart),
		advice: "Two refunds under two keys are two refunds, though they look alike: put RefundID into the provider's metadata under sdk.MetadataRefund, list both in GetPayment, and find each by the provider's id and by ours.",
	},
	{
		name: "refund_too_much", flow: refundTooMuch, applies: can(sdk.CanRefund),
		advice: "A refund of more than is left is sdk.Rejected (or a failed Refund): the provider said no for good.",
	},
	{
		name: "refund_pending", flow: refundPending, applies: hasRefundPending,
		advice: "A refund that the provider has not made yet is pending, in Refund's answer and in both reads, until the provider says that it is done.",
	},
	{
		name: "refund_fails", flow: refundFails, applies: hasRefundFails,
		advice: "A refund that the provider refuses, at once or later, is a Refund with status failed and a Failure, or Rejected.",
	},
	{
		name: "disputes_read", flow: disputesRead, applies: hasDispute,
		advice: "GetPayment reads the disputes of what was captured: each with its id, its capture, whether it is open, won or lost, and how much of the money is withdrawn at the moment. Of a lost one part may come back.",
	},

	{
		name: "callback_genuine", flow: callbackGenuine,
		advice: "What the provider signed is Genuine, and what happened to a payment has a Fact with its AttemptID and InstanceID or one of its Refs, so that it finds its attempt.",
	},
	{
		name: "another_process", flow: anotherProcess,
		advice: "Keep nothing between two calls but connections and tokens: a hub restarts plugins at any moment, and several hubs run one each. What must be kept goes into Refs, Opaque or the provider's metadata.",
	},
	{
		name: "refs_stay", flow: refsStay,
		advice: "Refs[0] names the payment and never changes, from the first answer to the last read: put later names behind it.",
	},
}

// repeats are how an operation is repeated.
var repeats = []rule{
	{
		name: "repeat_same_effect", flow: repeatSameEffect,
		advice: "Send the operation key as the provider's idempotency key, whole and alone: the hub repeats under it, and a second effect would be a second payment.",
	},
	{
		name: "repeat_same_bytes", flow: repeatSameBytes,
		advice: "Build the provider's request from the arguments alone: no clock, no randomness, no counter, no map in its own order. A provider refuses a repeat that differs.",
	},
	{
		name: "key_reused", flow: keyReused,
		advice: "A key that was used with another request is sdk.Mismatch where the provider refuses it: the first one arrived, so it is never Rejected or NotSent. Where the provider answers as the first time, the answer is the first one's: take amount and names from it, not from the question.",
	},
	{
		name: "repeat_never_alone", flow: repeatNeverAlone,
		advice: "A plugin never retries: turn off the retries of the provider's library and of the HTTP client. Only the hub knows whether a repeat is safe.",
	},
}

// refusals are what is no outcome yet.
var refusals = []rule{
	{
		name: "refused_not_final", flow: refusedNotFinal,
		advice: "401, 403, 429 and 503 refuse this sending and say nothing of an earlier one: return sdk.NotSent where the provider looks at them first, else a plain error, never Rejected.",
	},
	{
		name: "no_connection", flow: noConnection,
		advice: "A connection that cannot be made is sdk.NotSent if you can prove that nothing was written, else a plain error; never Rejected.",
	},
	{
		name: "canceled_call", flow: canceledCall,
		advice: "Hand the context to every request: a call that is given up ends its request at once, as unknown.",
	},
}

// reads are what the provider is asked.
var reads = []rule{
	{
		name: "read_finds", flow: readFinds, applies: createsItself,
		advice: "GetPayment without refs looks for AttemptID in the provider's metadata (put it there under sdk.MetadataAttempt, with sdk.MetadataInstance): it is how a payment is found whose answer was lost. Where the provider has no search, say so in exam.json's no_search.",
	},
	{
		name: "read_finds_among_many", flow: findsAmongMany, applies: searches,
		advice: "Read every page of the search by which GetPayment finds a payment without refs: the first one may hold other payments only. exam.json's search_page says how many a page holds.",
	},
	{
		name: "read_tells_whose", flow: tellsWhose, applies: createsItself,
		advice: "AttemptID, InstanceID and RefundID are what the provider's metadata hold, in reads, answers and facts, and never the question's: several hubs may use one account.",
	},
	{
		name: "read_not_found", flow: readNotFound, applies: createsItself,
		advice: "What the provider says does not exist is sdk.ErrNotFound, and nothing else is.",
	},
	{
		name: "read_no_guess", flow: readNoGuess,
		advice: "A read that failed (500, empty, HTML, cut) is an error that claims nothing: not ErrNotFound, which says that no money moved, and not an empty Payment.",
	},
	{
		name: "read_tells_theirs", flow: readTellsTheirs,
		advice: "Every amount of GetPayment is the provider's own: the hub's Amount is zero there, and what a client may have paid instead must show.",
	},
	{
		name: "list_knows", flow: listKnows, applies: createsItself,
		advice: "List tells of every payment since the given time, page by page until Next is empty, with the refs and captures that GetPayment shows. Limit is how many a page may hold.",
	},
}

// inbound are what is made of a callback.
var inbound = []rule{
	{
		name: "callback_agrees", flow: callbackAgrees, hears: true,
		advice: "A proven Fact and GetPayment tell the same story: the same id, amount and currency for each capture and refund. Otherwise money is counted twice.",
	},
	{
		name: "callback_expects", flow: callbackExpects, hears: true,
		advice: "What a fact expects of a read (Fact.Expect) GetPayment shows in the end: the same ids, and nothing that comes and goes. The hub reads until it does, and then tells a person.",
	},
	{
		name: "callback_proof", flow: callbackProof, hears: true,
		advice: "Describe's Proof says what proves a callback: signed_body, secret_address or none. A Fact is Proven only where a signature covers the whole body; the hub reads all others before money counts.",
	},
	{
		name: "callback_other_mode", flow: callbackOtherMode, hears: true,
		advice: "A callback about play money is not_ours for a live account, and the reverse.",
	},
	{
		name: "callback_repeated", flow: callbackRepeated, hears: true,
		advice: "EventID is the provider's own id of the event: the same at every delivery, whatever the order and spelling of headers, and another for another event. The hub absorbs repeats by it. Leave it empty where the provider has none.",
	},
	{
		name: "callback_forged", flow: callbackForged, hears: true,
		advice: "Check the signature over the raw body before anything is read of it: what is altered, unsigned or signed for another body is Forged. Method, path, query and headers that no signature covers decide nothing.",
	},
	{
		name: "callback_malformed", flow: callbackMalformed, hears: true,
		advice: "Anybody can post anything to the callback's address: what is no event is Forged, or Genuine without a Fact, and never an error or a panic.",
	},
	{
		name: "callback_stale", flow: callbackStale, hears: true,
		advice: "Compare the signed time with ReceivedAt, both ways, else a recorded callback can be played again. exam.json's callback_age says how old one may be.",
	},
}

// others are about amounts, many calls at once, and all that was said.
var others = []rule{
	{
		name: "money_exact", flow: moneyExact,
		advice: "Convert with Money.Rescale or Decimal and ParseDecimal by a table of the provider's currencies. What it cannot take exactly is sdk.Rejected before anything is sent.",
	},
	{
		name: "money_positive", flow: moneyPositive,
		advice: "Zero and negative amounts are sdk.Rejected before anything is sent.",
	},

	{
		name: "concurrent_calls", flow: concurrentCalls, applies: createsItself,
		advice: "Methods are called at the same time: keep nothing of a call in the Provider.",
	},
	{
		name: "concurrent_same_key", flow: concurrentSameKey, applies: createsItself,
		advice: "Of many sendings of one key at the same time all that get an answer get the same; \"already in progress\" is a plain error, not Rejected.",
	},

	{
		name: "connect", plugin: connects,
		advice: "Connect tells in Findings what is right and wrong at the provider, changes nothing without Repair, finds out every setting that says FromConnect, and finds again what it made before.",
	},
	{
		name: "secrets_stay", plugin: secretsStay, // the last: it looks back on all that was said
		advice: "No secret in a log, an error, a Failure or a reason, not even its end: build texts of your own instead of passing on the provider's, which quote what they were sent.",
	},
}
