;; A component that exports a `wasi:filesystem/preopens` without directories. Composed with a plugin, it is what the
;; plugin's standard library finds, so that its file system is empty, whatever the host opens for the queue.
;;
;; The one function returns an empty list, which is 8 zeros of the memory. The type of descriptors is that of the host's
;; `wasi:filesystem/types`, as the signature demands; none is ever made. Composers match later patch versions of 0.2 too.
(component
  (import "wasi:filesystem/types@0.2.12" (instance $types
    (export "descriptor" (type (sub resource)))))
  (alias export $types "descriptor" (type $descriptor))
  (core module $m
    (memory (export "memory") 1)
    (func (export "get") (result i32) i32.const 16))
  (core instance $i (instantiate $m))
  (alias core export $i "memory" (core memory $memory))
  (func $get (result (list (tuple (own $descriptor) string)))
    (canon lift (core func $i "get") (memory $memory)))
  (component $shape
    (import "descriptor" (type $d (sub resource)))
    (import "get" (func $get (result (list (tuple (own $d) string)))))
    (export $dd "descriptor" (type $d))
    (export "get-directories" (func $get) (func (result (list (tuple (own $dd) string))))))
  (instance $out (instantiate $shape
    (with "descriptor" (type $descriptor))
    (with "get" (func $get))))
  (export "wasi:filesystem/preopens@0.2.12" (instance $out)))
