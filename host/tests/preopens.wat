;; A plugin that counts its preopens.
(component
  (import "mail:queue/intake@0.1.0" (instance))
  (import "wasi:filesystem/types@0.2.12" (instance $types
    (export "descriptor" (type (sub resource)))))
  (alias export $types "descriptor" (type $descriptor))
  (import "wasi:filesystem/preopens@0.2.12" (instance $preopens
    (alias outer 1 $descriptor (type $d))
    (export "descriptor" (type $own (eq $d)))
    (export "get-directories" (func (result (list (tuple (own $own) string)))))))
  ;; Every list and string goes to one place: only the length of the outer list matters.
  (core module $memory
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 1024))
  (core instance $memory (instantiate $memory))
  (alias core export $memory "memory" (core memory $bytes))
  (alias core export $memory "realloc" (core func $realloc))
  (core func $get-directories
    (canon lower (func $preopens "get-directories") (memory $bytes) (realloc (core func $realloc))))
  (core module $counter
    (import "" "get-directories" (func $get-directories (param i32)))
    (import "" "memory" (memory 1))
    (func (export "count") (result i32)
      (call $get-directories (i32.const 8))
      (i32.load (i32.const 12))))
  (core instance $counter (instantiate $counter (with "" (instance
    (export "get-directories" (func $get-directories))
    (export "memory" (memory $bytes))))))
  (func (export "count") (result u32) (canon lift (core func $counter "count"))))
