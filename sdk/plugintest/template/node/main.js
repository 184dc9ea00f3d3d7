// The Acmepay plugin: a process of its own that the hub starts.
import { Provider } from './provider.js'
import { serve } from './serve.js'

serve(new Provider())
