// Counts down to the payment's deadline, then shows the page as it is by then.
const timer = document.querySelector('[data-seconds]')
if (timer) {
  const seconds = Number(timer.dataset.seconds)
  const began = performance.now()
  const pad = (n) => String(n).padStart(2, '0')
  const tick = () => {
    const left = Math.max(0, Math.ceil(seconds - (performance.now() - began) / 1000))
    const hours = Math.floor(left / 3600)
    const minutes = Math.floor(left / 60) % 60
    timer.textContent = hours ? `${hours}:${pad(minutes)}:${pad(left % 60)}` : `${minutes}:${pad(left % 60)}`
    timer.classList.toggle('soon', left <= 60)
    if (left === 0) {
      clearInterval(ticking)
      setTimeout(() => location.replace(location.href), 1000)
    }
  }
  const ticking = setInterval(tick, 500)
  tick()
}

// Who sets the seconds means them.
const seconds = document.querySelector('[data-testid=gw-late-seconds]')
seconds?.addEventListener('input', () => { document.querySelector('[data-testid=gw-late-when]').checked = true })
