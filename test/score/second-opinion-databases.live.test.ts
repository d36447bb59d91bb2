import { testConversations } from './second-opinion.js'

testConversations(['mysql', 'postgresql', 'postgresql-prepared', 'redis', 'memcached'])
