"""mysql_client.py PORT REQUESTS LOG: PyMySQL, one line of JSON a query: its text and how it went."""
import json
import sys
import pymysql

port, requests, log = int(sys.argv[1]), int(sys.argv[2]), open(sys.argv[3], 'w')
connection = pymysql.connect(host='127.0.0.1', port=port, user='root', autocommit=True)
cursor = connection.cursor()


def ask(sql):
    try:
        cursor.execute(sql)
        cursor.fetchall()
        answer = 'ok'
    except pymysql.err.MySQLError as error:
        answer = str(error.args[0])
    log.write(json.dumps([sql, answer]) + '\n')


ask('CREATE DATABASE IF NOT EXISTS shop')
ask('DROP TABLE IF EXISTS shop.items')
ask('CREATE TABLE shop.items (id int primary key, name varchar(200), note text)')
ask('INSERT INTO shop.items VALUES ' + ', '.join("(%d, 'name %d', 'it''s %d')" % (i, i, i) for i in range(500)))
for i in range(requests - 4):
    n = i % 20
    if n < 14:
        ask("SELECT id, name, note FROM shop.items WHERE id = %d" % (i % 500))
    elif n == 14:
        ask("UPDATE shop.items SET note = 'changed \\'%d\\'' WHERE id IN (%d, %d)" % (i, i % 500, (i + 1) % 500))
    elif n == 15:
        ask("REPLACE INTO shop.items (id, name) VALUES (%d, \"name %d\")" % (1000 + i % 100, i))
    elif n == 16:
        ask('SELECT * FROM shop.items LIMIT 60')
    elif n == 17:
        ask('BEGIN' if i % 40 < 20 else 'COMMIT')
    elif n == 18:
        ask("SELECT i.name FROM shop.items i JOIN shop.items j ON i.id = j.id WHERE j.id < 5 AND i.name <> 'x'")
    else:
        ask("SELECT * FROM shop.nothing WHERE a = 'secret %d'" % i if i % 40 < 20 else "SELEC 'secret'")
connection.close()
