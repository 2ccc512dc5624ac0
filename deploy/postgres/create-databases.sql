-- Run once, when the data volume is new. The server creates the database of Dagster's history by itself.
CREATE DATABASE pyf;
