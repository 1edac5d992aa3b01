// Package wording writes the messages buyers get, in English and Simplified Chinese.
//
// # For translators
//
// What is said is in words/, one file for each kind of message and language (paid.en.tmpl, paid.zh-CN.tmpl …), and what all
// of them share in common.en.tmpl and common.zh-CN.tmpl. A file has these parts, each between {{define "part"}} and {{end}}:
//
//	subject   of the mail, and its headline
//	status    a word or two above the headline
//	happened  what has happened
//	meaning   what that means for the money and the tickets
//	now       what to do now
//	button    what the button that opens the order says
//	sms       all of it as an SMS, in about 60 characters besides the title
//	link      what is said before the link of the SMS
//
// A {{.Word}} stands for a fact, such as {{.Title}}; which there are says type view. Both languages must tell the same facts
// in the same parts: the tests compare them. Every text is tried when the program starts, and a mistake stops it with the file's name.
//
// # How a mail looks
//
// The layout is in layout.mjml, which gomjml turns into HTML, in process and once. The npm package mjml (5.4) makes the
// same HTML of it, but for a class on the body and classes that only Outlook would see, and 200 more packages and a committed
// output with a check that it is the right one would have to be kept for that. Roboto is not among the fonts: either
// of them would load it from Google for everyone who opens a mail.
//
// # What others write
//
// Whatever buyers and organisers call themselves and their events is put on one line, freed of what turns the direction of
// writing, kept short and escaped. It is never part of a template. An SMS takes two segments at most, whatever they write.
//
// The package must not know how messages are sent, nor when.
package wording
