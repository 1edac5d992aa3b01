package wechatpay

// LimitBill bounds a bill to so many bytes, unpacked.
func (p *Provider) LimitBill(bytes int64) { p.maxBill = bytes }
