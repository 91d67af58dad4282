#!/usr/bin/env python3
"""Expected values of the LVS hash policies (LvsMaglevTests, LvsSourceHashTests): a second implementation, written from the description of ip_vs_mh and
ip_vs_sh on a 64-bit little-endian kernel with its destinations in the order given. Prints tables, clients' slots, fallbacks and hash_32 buckets; the tests
hold them as literals."""
M=(1<<64)-1
def rotl(x,b): return ((x<<b)|(x>>(64-b)))&M
def hsip(data,k0,k1):
    v=[0x736f6d6570736575^k0,0x646f72616e646f6d^k1,0x6c7967656e657261^k0,0x7465646279746573^k1]
    def rnd():
        v[0]=(v[0]+v[1])&M; v[1]=rotl(v[1],13); v[1]^=v[0]; v[0]=rotl(v[0],32)
        v[2]=(v[2]+v[3])&M; v[3]=rotl(v[3],16); v[3]^=v[2]
        v[0]=(v[0]+v[3])&M; v[3]=rotl(v[3],21); v[3]^=v[0]
        v[2]=(v[2]+v[1])&M; v[1]=rotl(v[1],17); v[1]^=v[2]; v[2]=rotl(v[2],32)
    n=len(data)//8*8
    for i in range(0,n,8):
        m=int.from_bytes(data[i:i+8],'little'); v[3]^=m; rnd(); v[0]^=m
    b=(len(data)<<56)|int.from_bytes(data[n:],'little')
    v[3]^=b; rnd(); v[0]^=b; v[2]^=0xff; rnd(); rnd(); rnd()
    return (v[0]^v[1]^v[2]^v[3])&0xffffffff
assert hsip(bytes(range(4)),0x0706050403020100,0x0f0e0d0c0b0a0908)==0x88d38328
from math import gcd
from functools import reduce
import ipaddress
def fold(a):
    b=ipaddress.ip_address(a).packed
    r=0
    for i in range(0,len(b),4): r^=int.from_bytes(b[i:i+4],'big')
    return r
def key(a,port,k,off=0):
    return hsip(((off+port+fold(a))&0xffffffff).to_bytes(4,'little'),k,k)
K1,K2=2654435761,2654446892
PR=[251,509,1021,2039,4093,8191,16381,32749,65521,131071]
def table(dests,size):  # dests: (addr,port,weight)
    g=reduce(gcd,[d[2] for d in dests]); bits=(PR.index(size)+8)//2
    shift=max(0,(max(d[2] for d in dests)//g).bit_length()-bits)
    ds=[]
    for a,p,w in dests:
        o=key(a,p,K1)%size
        ds.append([o,key(a,p,K2)%(size-1)+1,((w//g)>>shift) or 1])
    t=[None]*size; n=0; p=0; c=0
    while n<size:
        d=ds[p]
        while t[d[0]] is not None:
            d[0]+=d[1]
            if d[0]>=size: d[0]-=size
        t[d[0]]=p; n+=1; c+=1
        if c>=d[2]: c=0; p=(p+1)%len(ds)
    return t
def names(t): return ''.join(chr(97+i) for i in t)
def ds(ws,port=80): return [('10.0.0.%d'%(i+1),port,w) for i,w in enumerate(ws)]
if __name__=='__main__':
    for ws,size in (([1,1,1],251),([1,1,1],4093),([4,3,2],251),([256,1],251),([200,100,50],4093)):
        t=table(ds(ws),size)
        print(ws,size,names(t[:48]),[t.count(i) for i in range(len(ws))])
    t=table(ds([1,1,1]),4093)
    for a,p in (('192.0.2.1',0),('192.0.2.2',0),('192.0.2.3',0),('198.51.100.7',0),('2001:db8::1',0),('192.0.2.1',1234),('192.0.2.1',1235),('192.0.2.1',1240)):
        s=key(a,p,K1)%4093
        # fallback order: servers in order of first availability
        seq=[]
        x=t[s]
        for off in range(4093):
            r=(off+s)%4093
            h=key(a,p,K1,r)%4093
            if t[h]!=x: seq.append((off,t[h])); break
        print(a,p,'slot',s,names([x]),'fallback',seq, names([seq[0][1]]))
    def h32(v,b): return ((v*0x61C88647)&0xffffffff)>>(32-b)
    for a,p in (('192.0.2.1',0),('192.0.2.2',0),('192.0.2.77',0),('10.0.0.5',0),('10.1.0.5',0),('2001:db8::1',0),('192.0.2.1',1234),('192.0.2.1',1235)):
        print('hash32',a,p,h32((fold(a)+p)&0xffffffff,8),h32(fold(a),10))
