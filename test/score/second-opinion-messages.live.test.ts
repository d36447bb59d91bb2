import { testConversations } from './second-opinion.js'

testConversations(['amqp', 'kafka'])
