export { packageRoot } from '../capture/native-addon.js'
