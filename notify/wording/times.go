package wording

import (
	"strings"
	"time"
	_ "time/tzdata" // the zones of venues, wherever this runs
)

var weekdays = [...]string{"周日", "周一", "周二", "周三", "周四", "周五", "周六"}

// chineseZones are the zones that readers of Chinese have a name of their own for.
var chineseZones = map[string]string{
	"Asia/Shanghai": "北京时间", "Asia/Hong_Kong": "香港时间", "Asia/Macau": "澳门时间", "Asia/Taipei": "台北时间",
}

// moment is a time with its zone: the zone's name and how far it is from UTC.
func moment(language string, at time.Time) string {
	zone := at.Location().String()
	if language == zhCN {
		name := chineseZones[zone]
		switch {
		case name != "":
			zone = name + " / " + zone
		case zone != "UTC":
			zone += "，" + offset(at)
		}
		return at.Format("2006年1月2日 ") + weekdays[at.Weekday()] + at.Format(" 15:04") + "（" + zone + "）"
	}
	if zone != "UTC" {
		zone += ", " + offset(at)
	}
	return at.Format("Mon, 2 Jan 2006, 15:04") + " (" + zone + ")"
}

// shortMoment is a time at the venue for an SMS about it.
func shortMoment(language string, at time.Time) string {
	if language == zhCN {
		return at.Format("1月2日15:04")
	}
	return at.Format("2 Jan 15:04")
}

// clock is a deadline that is at most a day away, told with its zone: whoever has to keep it may be elsewhere.
func clock(language string, at time.Time) string {
	if language == zhCN {
		zone := chineseZones[at.Location().String()]
		if zone == "" {
			zone = offset(at)
		}
		return at.Format("15:04") + "（" + zone + "）"
	}
	return at.Format("15:04") + " (" + offset(at) + ")"
}

// offset is "UTC+8", "UTC-3:30" or "UTC".
func offset(at time.Time) string {
	far := strings.TrimSuffix(at.Format("-07:00"), ":00")
	if far == "+00" {
		return "UTC"
	}
	return "UTC" + noZero.Replace(far)
}

var noZero = strings.NewReplacer("+0", "+", "-0", "-")
