package wording

import "rsc.io/qr"

// qrModule is the width of a module in pixels. A ticket's code has 33 with the white around them: its picture is as wide as the layout
// shows it, so that modules are whole pixels on any screen, and no wider, for every pixel costs the sender time.
const qrModule = 8

// qrPicture draws what a scanner at the entrance reads, as PNG.
func qrPicture(content string) ([]byte, error) {
	code, err := qr.Encode(content, qr.M)
	if err != nil {
		return nil, err
	}
	code.Scale = qrModule
	return code.PNG(), nil
}
