import { testConversations } from './second-opinion.js'

testConversations(['http', 'http2', 'http2-ways', 'grpc', 'dns', 'uwsgi', 'fastcgi'])
