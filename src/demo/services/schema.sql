CREATE DATABASE shop;
CREATE USER 'shop'@'127.0.0.1' IDENTIFIED BY 'shop';
GRANT ALL ON shop.* TO 'shop'@'127.0.0.1';
CREATE TABLE shop.items (id INT PRIMARY KEY, name VARCHAR(80) NOT NULL, price INT NOT NULL);
CREATE TABLE shop.stock (item INT PRIMARY KEY, quantity INT NOT NULL);
CREATE TABLE shop.orders (id INT PRIMARY KEY AUTO_INCREMENT, item INT NOT NULL, customer INT NOT NULL, quantity INT NOT NULL, state VARCHAR(16) NOT NULL);
INSERT INTO shop.items SELECT seq, CONCAT('item ', seq), 100 + seq FROM shop.seq_1_to_40;
INSERT INTO shop.stock SELECT seq, IF(seq % 10 = 0, 0, 1000000) FROM shop.seq_1_to_40;
