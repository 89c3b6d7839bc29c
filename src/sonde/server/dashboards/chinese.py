"""What the dashboards that come with Sonde say, in Chinese."""

from __future__ import annotations

CHINESE = {
    "A host": "主机",
    "Processor, memory, disks and network of one host.": "一台主机的处理器、内存、磁盘和网络。",
    "Processor": "处理器",
    "Load": "负载",
    "Memory": "内存",
    "Fullest disk": "最满的磁盘",
    "Network": "网络",
    "Disks": "磁盘读写",
    "Python processes": "Python 进程",
    "What the interpreter of a service is busy with.": "服务的解释器在忙什么。",
    "Requests under way": "处理中的请求",
    "Threads": "线程",
    "Longest pause of the collector": "最长垃圾回收停顿",
    "Collections a second": "每秒垃圾回收次数",
    "Longest lag of the event loop": "事件循环最大延迟",
    "Longest wait for the interpreter": "等待解释器锁的最长时间",
    "A service": "服务",
    "Traffic, failures and latency of one service.": "一个服务的流量、错误和延迟。",
    "Requests": "请求",
    "Failing": "错误率",
    "Traffic": "流量",
    "Failing requests": "失败的请求",
    "Latency": "延迟",
    "Timeouts": "超时",
    "Overview": "总览",
    "Every service and host, for a screen on the wall.": "所有服务和主机，适合挂在墙上的大屏。",
    "Services": "服务",
    "Hosts": "主机",
}
"""By the words in the files. What is the same in both languages is not here."""
