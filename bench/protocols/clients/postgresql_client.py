"""postgresql_client.py PORT REQUESTS LOG: psycopg2, one line of JSON a query: its text and how it went."""
import json
import sys
import psycopg2

port, requests, log = int(sys.argv[1]), int(sys.argv[2]), open(sys.argv[3], 'w')
connection = psycopg2.connect(host='127.0.0.1', port=port, user='postgres', dbname='postgres')
connection.autocommit = True
cursor = connection.cursor()


def ask(sql):
    try:
        cursor.execute(sql)
        if cursor.description:
            cursor.fetchall()
        answer = 'ok'
    except psycopg2.Error as error:
        answer = error.pgcode
    log.write(json.dumps([sql, answer]) + '\n')


ask('CREATE TABLE items (id int primary key, name varchar(200), note text)')
ask('INSERT INTO items VALUES ' + ', '.join("(%d, 'name %d', 'it''s %d')" % (i, i, i) for i in range(500)))
for i in range(requests - 2):
    n = i % 20
    if n < 14:
        ask('SELECT id, name, note FROM items WHERE id = %d' % (i % 500))
    elif n == 14:
        ask("UPDATE items SET note = 'changed ''%d''' WHERE id IN (%d, %d)" % (i, i % 500, (i + 1) % 500))
    elif n == 15:
        ask("INSERT INTO items (id, name) VALUES (%d, $q$name %d$q$) ON CONFLICT (id) DO UPDATE SET note = 'again'" %
            (1000 + i % 100, i))
    elif n == 16:
        ask('SELECT * FROM items LIMIT 60')
    elif n == 17:
        ask('BEGIN' if i % 40 < 20 else 'COMMIT')
    elif n == 18:
        ask("SELECT i.name FROM items i JOIN items j ON i.id = j.id WHERE j.id < 5 AND i.name <> E'x\\'y'")
    elif i % 40 >= 20:
        ask("SELECT * FROM nothing WHERE a = 'secret %d'" % i)
    else:
        ask('SELECT count(*) FROM items')
connection.close()
