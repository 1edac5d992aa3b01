import 'element-plus/theme-chalk/base.css'
import 'element-plus/theme-chalk/el-button.css'
import 'element-plus/theme-chalk/el-input.css'
import './styles/tokens.css'
import './styles/base.css'
import './styles/print.css'
import { createApp } from 'vue'
import type { Language } from './api/types'
import App from './App.vue'
import { followLanguage, i18n, speak } from './i18n'
import { sweepIntents } from './orders/intent'
import { router } from './router'

sweepIntents()
followLanguage()
const app = createApp(App).use(i18n).use(router)
// The words come first, so that nobody sees their keys.
await speak(i18n.global.locale.value as Language)
app.mount('#app')
