// Package wording writes the messages buyers get, in English and Simplified Chinese.
//
// What is said is in words/, one file for each language, for translators to edit: of every kind of message a subject, what has
// happened (lead), what to do now (next), and the SMS. How a mail looks is in layout.mjml, which is turned into HTML for the
// mail programs of the world by gomjml, in process and once: no other toolchain has to be there, and no generated file can be
// out of date.
//
// Whatever buyers and organisers call themselves and their events is escaped, put on one line and kept short.
package wording
