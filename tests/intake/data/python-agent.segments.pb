
‚	
 bd825598e52b11f1a7750200000000aa bd82541ce52b11f1a7750200000000aay‹ß°×Ÿ4 ‹ß°×Ÿ42Redis/HELLO:localhost:16379@HPb

cache.typeRedisb
	cache.key3b
	cache.cmdHELLOb

cache.op‹ß°×Ÿ4 Œß°×Ÿ42Redis/CLIENT:localhost:16379@HPb

cache.typeRedisb 
	cache.keyMAINT_NOTIFICATIONSb
	cache.cmdCLIENTb

cache.opŒß°×Ÿ4 Œß°×Ÿ42Redis/CLIENT:localhost:16379@HPb

cache.typeRedisb
	cache.keySETINFOb
	cache.cmdCLIENTb

cache.opŒß°×Ÿ4 Œß°×Ÿ42Redis/CLIENT:localhost:16379@HPb

cache.typeRedisb
	cache.keySETINFOb
	cache.cmdCLIENTb

cache.op|Œß°×Ÿ4 Œß°×Ÿ42	Redis/SET:localhost:16379@HPb

cache.typeRedisb
	cache.keykb
	cache.cmdSETb
cache.opwrite{Œß°×Ÿ4 Œß°×Ÿ42	Redis/GET:localhost:16379@HPb

cache.typeRedisb
	cache.keykb
	cache.cmdGETb
cache.opread‰Œß°×Ÿ4 ‘ß°×Ÿ42/leaf:127.0.0.1:18082@HPÚ6b
http.methodGETb+
http.urlhttp://127.0.0.1:18082/leaf?x=1b
http.status_code200ŒÿÿÿÿÿÿÿÿÿŠß°×Ÿ4 Åß°×Ÿ42/work:127.0.0.1:57952HPÙ6b
http.methodGETb'
http.urlhttp://127.0.0.1:18081/workb
http.status_code200"
demo-front*front-1
Û
 bd825598e52b11f1a7750200000000aa bd833b98e52b11f1a7d70200000000aaÿÿÿÿÿÿÿÿÿß°×Ÿ4 ’ß°×Ÿ4*s bd825598e52b11f1a7750200000000aa bd82541ce52b11f1a7750200000000aa *
demo-front2front-1:/leafB127.0.0.1:180822/leaf:127.0.0.1:52422HPÙ6b
http.methodGETb'
http.urlhttp://127.0.0.1:18082/leafb
http.status_code200"	demo-back*back-1

tid-1 bd987dfae52b11f1a56b0200000000aa|œà°×Ÿ4 œà°×Ÿ42	Redis/SET:localhost:16379@HPb

cache.typeRedisb
	cache.keykb
	cache.cmdSETb
cache.opwrite{œà°×Ÿ4 œà°×Ÿ42	Redis/GET:localhost:16379@HPb

cache.typeRedisb
	cache.keykb
	cache.cmdGETb
cache.opread‰à°×Ÿ4 ¤à°×Ÿ42/leaf:127.0.0.1:18082@HPÚ6b
http.methodGETb+
http.urlhttp://127.0.0.1:18082/leaf?x=1b
http.status_code200Åÿÿÿÿÿÿÿÿÿ›à°×Ÿ4 Øà°×Ÿ4*7tid-1seg-1 *up-svc2up-inst:/upB127.0.0.1:180812/work:127.0.0.1:57960HPÙ6b
http.methodGETb'
http.urlhttp://127.0.0.1:18081/workb
http.status_code200"
demo-front*front-1
ã
tid0 bdc448d6e52b11f1b6880200000000aa£ÿÿÿÿÿÿÿÿÿºâ°×Ÿ4 »â°×Ÿ4*tid0s*a2b:cBd2/leaf:127.0.0.1:57998HPÙ6b
http.methodGETb'
http.urlhttp://127.0.0.1:18081/leafb
http.status_code200"
demo-front*front-1
æ
 bd8d5ddae52b11f186a70200000000aa bd8d5ac4e52b11f186a70200000000aaŠÿÿÿÿÿÿÿÿÿÒß°×Ÿ4 êß°×Ÿ42/boom:127.0.0.1:57956HPÙ6Xb
http.methodGETb'
http.urlhttp://127.0.0.1:18081/boomb
http.status_code500jù	úÖ°×Ÿ4ï	
	Tracebacká	Traceback (most recent call last):
  File "/app/site-packages/flask/app.py", line 1511, in wsgi_app
    response = self.full_dispatch_request()
               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  File "/app/site-packages/skywalking/plugins/sw_flask.py", line 65, in _sw_full_dispatch_request
    resp = _full_dispatch_request(this)
           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  File "/app/site-packages/flask/app.py", line 919, in full_dispatch_request
    rv = self.handle_user_exception(e)
         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  File "/app/site-packages/skywalking/plugins/sw_flask.py", line 79, in _sw_handle_user_exception
    return _handle_user_exception(this, e)
           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  File "/app/site-packages/flask/app.py", line 917, in full_dispatch_request
    rv = self.dispatch_request()
         ^^^^^^^^^^^^^^^^^^^^^^^
  File "/app/site-packages/flask/app.py", line 902, in dispatch_request
    return self.ensure_sync(self.view_functions[rule.endpoint])(**view_args)  # type: ignore[no-any-return]
           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  File "/app/app.py", line 18, in boom
    def boom(): raise RuntimeError('boom')
                ^^^^^^^^^^^^^^^^^^^^^^^^^^
RuntimeError: boom
"
demo-front*front-1
¾
 6cdc52b2e52e11f1b0bd0200000000aa 6cdc5190e52e11f1b0bd0200000000aa­Ã÷×Ÿ4 Ã÷×Ÿ42Mysql/PyMsql/execute:127.0.0.1:13306@HPÛ6b
db.typemysqlb
db.instancedemob,
db.statementselect a from t where a = %sb
db.sql.parameters[1]‰Ã÷×Ÿ4 ¾’÷×Ÿ42Mysql/PyMsql/execute:127.0.0.1:13306@HPÛ6b
db.typemysqlb
db.instancedemob"
db.statementselect sleep(0.25)…¾’÷×Ÿ4 Ã’÷×Ÿ42/leaf:127.0.0.1:18099@HPÚ6b
http.methodGETb'
http.urlhttp://127.0.0.1:18099/leafb
http.status_code200Õ’÷×Ÿ4 ×’÷×Ÿ42/missing:127.0.0.1:18099@HPë6Xb
http.methodGETb*
http.urlhttp://127.0.0.1:18099/missingb
http.status_code404Œÿÿÿÿÿÿÿÿÿ«÷×Ÿ4 ½“÷×Ÿ42/work:127.0.0.1:49406HPæ6b
http.methodGETb'
http.urlhttp://127.0.0.1:18083/workb
http.status_code200"demo-fast|ns1*fast-1
ø
 6fc18740e52e11f1b0bd0200000000aa 6fc18628e52e11f1b0bd0200000000aa…É¶÷×Ÿ4 Ô¶÷×Ÿ42/leaf:127.0.0.1:18099@HPë6b
http.methodGETb'
http.urlhttp://127.0.0.1:18099/leafb
http.status_code200’ÿÿÿÿÿÿÿÿÿ¤¶÷×Ÿ4 Ô¶÷×Ÿ42/items/2:127.0.0.1:49452HPæ6b
http.methodGETb*
http.urlhttp://127.0.0.1:18083/items/2b
http.status_code200"demo-fast|ns1*fast-1
°
 6d2079ece52e11f1b0bd0200000000aa 6d2078d4e52e11f1b0bd0200000000aaÒÿÿÿÿÿÿÿÿÿé“÷×Ÿ4 ê“÷×Ÿ42/boom:127.0.0.1:49428HPæ6Xb
http.methodGETb'
http.urlhttp://127.0.0.1:18083/boomb
http.status_code500jÁ
Âˆ÷×Ÿ4·

	Traceback©
Traceback (most recent call last):
  File "/app/site-packages/skywalking/plugins/sw_fastapi.py", line 79, in create_span
    await _original_fast_api(self, scope, receive, wrapped_send)
  File "/app/site-packages/starlette/middleware/exceptions.py", line 63, in __call__
    await wrap_app_handling_exceptions(self.app, conn)(scope, receive, send)
  File "/app/site-packages/starlette/_exception_handler.py", line 53, in wrapped_app
    raise exc
  File "/app/site-packages/starlette/_exception_handler.py", line 42, in wrapped_app
    await app(scope, receive, sender)
  File "/app/site-packages/fastapi/middleware/asyncexitstack.py", line 18, in __call__
    await self.app(scope, receive, send)
  File "/app/site-packages/starlette/routing.py", line 683, in __call__
    await self.middleware_stack(scope, receive, send)
  File "/app/site-packages/fastapi/routing.py", line 2929, in app
    await route.handle(scope, receive, send)
  File "/app/site-packages/fastapi/routing.py", line 1375, in handle
    await super().handle(scope, receive, send)
  File "/app/site-packages/starlette/routing.py", line 289, in handle
    await self.app(scope, receive, send)
  File "/app/site-packages/fastapi/routing.py", line 175, in app
    await wrap_app_handling_exceptions(app, request)(scope, receive, send)
RuntimeError: boom
"demo-fast|ns1*fast-1