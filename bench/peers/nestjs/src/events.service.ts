import { Injectable, MessageEvent, OnModuleDestroy, OnModuleInit } from '@nestjs/common'
import { EventEmitter2 } from '@nestjs/event-emitter'
import Redis from 'ioredis'
import { fromEvent, Observable, startWith } from 'rxjs'

const CHANNEL = 'events'

/** What goes through Redis: the data is encoded once, by whoever publishes. */
interface Published {
  topic: string
  message: MessageEvent
}

/** Publishes to all instances through Redis, and hands what comes from there to this instance's readers. */
@Injectable()
export class EventsService implements OnModuleInit, OnModuleDestroy {
  private readonly publisher = new Redis(String(process.env.REDIS_URL))
  private readonly subscriber = new Redis(String(process.env.REDIS_URL))
  private last = 0

  constructor(private readonly emitter: EventEmitter2) {}

  async onModuleInit(): Promise<void> {
    await this.subscriber.subscribe(CHANNEL)
    this.subscriber.on('message', (_channel, text) => {
      const { topic, message } = JSON.parse(text) as Published
      this.emitter.emit(name(topic), message)
    })
  }

  onModuleDestroy(): void {
    this.publisher.disconnect()
    this.subscriber.disconnect()
  }

  async publish(topic: string, data: object): Promise<void> {
    this.last += 1
    const message = { id: String(this.last), type: 'settlement.status_changed', data: JSON.stringify(data) }
    await this.publisher.publish(CHANNEL, JSON.stringify({ topic, message }))
  }

  stream(topic: string): Observable<MessageEvent> {
    const live = fromEvent(this.emitter, name(topic)) as Observable<MessageEvent>
    return live.pipe(startWith({ type: 'connected', data: '{}' }))
  }
}

function name(topic: string): string {
  return `topic:${topic}`
}
