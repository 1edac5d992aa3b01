import { ref } from 'vue'
import { createRouter, createWebHistory } from 'vue-router'

export const router = createRouter({
  history: createWebHistory(),
  routes: [
    { path: '/', name: 'listing', component: () => import('./pages/ListingPage.vue') },
    { path: '/events/:id', name: 'event', component: () => import('./pages/EventPage.vue'), props: true },
    {
      path: '/checkout/:sessionId',
      name: 'checkout',
      component: () => import('./pages/CheckoutPage.vue'),
      props: true,
    },
    { path: '/orders', name: 'orders', component: () => import('./pages/MyOrdersPage.vue') },
    { path: '/orders/:id', name: 'order', component: () => import('./pages/OrderPage.vue'), props: true },
    { path: '/:missing(.*)*', name: 'missing', component: () => import('./pages/NotFoundPage.vue') },
  ],
  scrollBehavior(to, from, saved) {
    if (saved) return saved
    return to.path === from.path ? false : { top: 0 }
  },
})

/** Set when a page's code could not be fetched: a new version was deployed, or the line is down. */
export const pageLost = ref(false)

router.onError((_error, to) => {
  pageLost.value = true
  // Going there afresh fetches the new version's index; offline it would only lose this page.
  if (navigator.onLine) window.location.assign(to.fullPath)
})
