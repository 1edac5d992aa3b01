package wording

import "github.com/boxoffice/boxoffice/notify"

// elsewhere says on a ticket of a bundle what it admits to: another session than the one the mail is about, perhaps.
func (s *saying) elsewhere(t *picture, language string, f notify.Facts, at notify.Session) {
	f.Title, f.Venue, f.City, f.Address = at.Title, at.Venue, at.City, at.Address
	f.StartsAt, f.Zone, f.DateUnknown = at.StartsAt, at.Zone, at.DateUnknown
	v, err := newView(language, f, false)
	if err != nil {
		if s.err == nil {
			s.err = err
		}
		return
	}
	t.Title, t.Start, t.Place = v.Title, "", v.Venue
	if at.DateUnknown {
		t.Start = s.say("announced", v)
	} else if !v.start.IsZero() {
		t.Start = moment(language, v.start)
	}
}

// admission is what a ticket says of its own session, line by line; nothing where that is the one of the mail.
func (t picture) admission() []string {
	var lines []string
	if t.Place == "" {
		return nil
	}
	for _, text := range []string{t.Title, t.Start, t.Place} {
		if text != "" {
			lines = append(lines, text)
		}
	}
	return lines
}
